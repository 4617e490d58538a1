import "reflect-metadata"
import globalTeardown from "./global-teardown"
import { postgresVersions, startPostgres } from "./postgres"
import { runningServers } from "./running-servers"
import type { TestServer } from "./test-server"

const servers: readonly (() => Promise<TestServer>)[] = postgresVersions.map((version) => () => startPostgres(version))

/** Starts every server at once, and tells the test workers about them through the environment. */
export default async function globalSetup(): Promise<void> {
  const outcomes = await Promise.allSettled(servers.map((start) => start().then(announce)))
  const failed = outcomes.find((outcome) => outcome.status === "rejected")
  if (failed === undefined) return
  // Jest runs no teardown after a failed setup.
  await globalTeardown()
  throw failed.reason
}

function announce(server: TestServer): void {
  runningServers().push(server)
  Object.assign(process.env, server.environment)
}
