import { runningServers } from "./running-servers"

/** Stops every server that the global setup started. */
export default async function globalTeardown(): Promise<void> {
  await Promise.all(
    runningServers()
      .splice(0)
      .map((server) => server.stop()),
  )
}
