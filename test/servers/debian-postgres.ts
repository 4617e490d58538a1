import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import {
  startPostgresServer,
  type PostgresServer,
  type PostgresServerOptions,
} from "../../fixtures/postgres/postgres-server"

const INSTALLATION = process.env.POSTGRES_15_HOME ?? "/usr/lib/postgresql/15"
const INSTALL = ["install", "--yes", "--no-install-recommends", "postgresql-15"]

/**
 * Starts the Postgres 15 of Debian, and installs it if it is missing and we are root. POSTGRES_15_HOME names another
 * installation.
 *
 * @throws when there is none, naming the command that installs it. A missing server never skips a test.
 */
export async function startDebianPostgres(
  options: Omit<PostgresServerOptions, "installation"> = {},
): Promise<PostgresServer> {
  if (!isInstalled()) install()
  return startPostgresServer({ ...options, installation: INSTALLATION })
}

function isInstalled(): boolean {
  return existsSync(join(INSTALLATION, "bin", "pg_ctl"))
}

function install(): void {
  const apt = (...words: string[]): unknown =>
    execFileSync("apt-get", words, { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } })
  try {
    if (process.getuid?.() === 0) {
      apt("update")
      apt(...INSTALL)
    }
  } catch {
    // What matters is whether it is there now, and apt-get has said what went wrong.
  }
  if (isInstalled()) return
  throw new Error(
    `There is no Postgres 15 in ${INSTALLATION}. Run: apt-get ${INSTALL.join(" ")}, or set POSTGRES_15_HOME`,
  )
}
