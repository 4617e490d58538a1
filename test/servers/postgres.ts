import { DataSource } from "typeorm"
import { fixtureOptions } from "../../fixtures/fixture-options"
import { hostileMigrations } from "../../fixtures/hostile/migrations/hostile-migrations"
import { startEmbeddedPostgres } from "../../fixtures/postgres/embedded-postgres"
import type { PostgresServer } from "../../fixtures/postgres/postgres-server"
import { fixtureMigrations } from "../../migrations/fixture-migrations"
import { startDebianPostgres } from "./debian-postgres"
import type { TestServer } from "./test-server"

/** The versions every integration test runs on: the oldest one in use and the newest. */
export const postgresVersions = [15, 18] as const

export type PostgresVersion = (typeof postgresVersions)[number]

/** The database with every fixture table and no rows, of which each test database is a copy. */
export const TEMPLATE_DATABASE = "fixtures"

const start: Record<PostgresVersion, () => Promise<PostgresServer>> = {
  15: startDebianPostgres,
  18: startEmbeddedPostgres,
}

/** The environment variable that tells one of Jest's workers, which are numbered from 1, where its server is. */
export function urlVariable(version: PostgresVersion, worker: number): string {
  return `TEST_POSTGRES_${version}_URL_${worker}`
}

/** Starts that Postgres for one worker and makes its template database. */
export async function startPostgres(version: PostgresVersion, worker: number): Promise<TestServer> {
  const server = await start[version]()
  try {
    await createTemplate(server)
  } catch (error) {
    await server.stop()
    throw error
  }
  return { environment: { [urlVariable(version, worker)]: server.url() }, stop: () => server.stop() }
}

async function createTemplate(server: PostgresServer): Promise<void> {
  await withDataSource(server.url(), [], (dataSource) => dataSource.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`))
  await withDataSource(server.url(TEMPLATE_DATABASE), [...fixtureMigrations, ...hostileMigrations], (dataSource) =>
    dataSource.runMigrations(),
  )
}

async function withDataSource(
  url: string,
  migrations: readonly (new () => object)[],
  use: (dataSource: DataSource) => Promise<unknown>,
): Promise<void> {
  const dataSource = await new DataSource({
    ...fixtureOptions,
    url,
    entities: [],
    migrations: [...migrations],
  }).initialize()
  await use(dataSource).finally(() => dataSource.destroy())
}
