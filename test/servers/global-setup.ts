import "reflect-metadata"
import globalTeardown from "./global-teardown"
import { postgresVersions, startPostgres } from "./postgres"
import { runningServers } from "./running-servers"
import type { TestServer } from "./test-server"

/**
 * Starts every server at once, and tells the test workers about them through the environment. Each worker has servers of its own: the
 * transactions that are open on a server, in whatever database, show in what the tests of the outbox see.
 */
export default async function globalSetup({ maxWorkers }: { readonly maxWorkers: number }): Promise<void> {
  const workers = Array.from({ length: maxWorkers }, (_, index) => index + 1)
  const starts = workers.flatMap((worker) => postgresVersions.map((version) => startPostgres(version, worker)))
  const outcomes = await Promise.allSettled(starts.map((start) => start.then(announce)))
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
