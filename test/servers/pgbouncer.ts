import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../../fixtures/postgres/free-port"
import { requireProgram } from "./debian-package"
import { newerPgBouncer } from "./newer-pgbouncer"
import { startServerProcess } from "./server-process"

export interface PgBouncer {
  /** The same database, through the pooler. */
  readonly url: string
  stop(): Promise<void>
}

export interface PgBouncerOptions {
  /** How many server connections there are. */
  readonly poolSize: number
  /** How many named statements it keeps apart, as versions from 1.21 on can. Undefined: the setting is not given. */
  readonly maxPreparedStatements?: number | undefined
}

/** PgBouncer in transaction mode: each transaction gets whatever server connection is free. */
export async function startPgBouncer(databaseUrl: string, options: PgBouncerOptions): Promise<PgBouncer> {
  const isNewer = options.maxPreparedStatements !== undefined
  const program = isNewer ? await newerPgBouncer() : await requireProgram("pgbouncer", "pgbouncer")
  const { hostname, port: serverPort } = new URL(databaseUrl)
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), "pgbouncer-"))
  const config = join(folder, "pgbouncer.ini")
  await writeFile(config, settings({ hostname, serverPort, port, ...options }))
  // It gives up being root, and reads its settings again.
  for (const path of [folder, config]) await chmod(path, 0o755)
  const asUser = process.getuid?.() === 0 ? ["-u", "nobody"] : []
  const server = await startServerProcess(program, [...asUser, config], port)
  return {
    url: Object.assign(new URL(databaseUrl), { port: String(port) }).href,
    async stop() {
      // As asked to end it waits for its clients.
      await server.kill()
      await rm(folder, { recursive: true })
    },
  }
}

interface Settings extends PgBouncerOptions {
  readonly hostname: string
  readonly serverPort: string
  readonly port: number
}

function settings({ hostname, serverPort, port, poolSize, maxPreparedStatements }: Settings): string {
  const prepared = maxPreparedStatements === undefined ? "" : `max_prepared_statements = ${maxPreparedStatements}`
  return `[databases]
* = host=${hostname} port=${serverPort} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
${prepared}
`
}
