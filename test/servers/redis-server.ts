import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { requireProgram } from "./debian-package"
import { freePort } from "../../fixtures/postgres/free-port"
import { startServerProcess } from "./server-process"

export interface RedisServerOptions {
  /** More of redis.conf, as flags: `["--requirepass", "secret"]`. */
  readonly flags?: readonly string[]
}

export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Starts it again on the same port, after `stop` or `kill`. */
  start(): Promise<void>
  stop(): Promise<void>
  kill(): Promise<void>
  /** Stops it from answering, with its connections open. `stop` and `kill` still work. */
  freeze(): void
  /** Stops it and removes its folder. */
  remove(): Promise<void>
}

/** A Redis of its own, on a free port and in a temporary folder, that stores nothing. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const program = await requireProgram("redis-server", "redis-server")
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), "redis-"))
  const flags = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...(options.flags ?? [])]
  const start = () => startServerProcess(program, flags, port)
  let server = await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    start: async () => void (server = await start()),
    stop: () => server.stop(),
    kill: () => server.kill(),
    freeze: () => server.freeze(),
    async remove() {
      await server.stop()
      await rm(folder, { recursive: true })
    },
  }
}
