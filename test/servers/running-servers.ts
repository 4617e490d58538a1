import type { TestServer } from "./test-server"

// Setup and teardown are separate modules of one process, which need not share a module registry.
const KEY = Symbol.for("typeorm-change-events.test-servers")
const global = globalThis as { [KEY]?: TestServer[] }

/** The servers that the global setup started and the global teardown stops. */
export function runningServers(): TestServer[] {
  return (global[KEY] ??= [])
}
