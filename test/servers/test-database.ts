import { randomUUID } from "node:crypto"
import { Client } from "pg"
import { DataSource, type DataSourceOptions } from "typeorm"
import { fixtureOptions } from "../../fixtures/fixture-options"
import { postgresVersions, TEMPLATE_DATABASE, urlVariable, type PostgresVersion } from "./postgres"

export type PostgresOptions = Extract<DataSourceOptions, { type: "postgres" }>

/** A database of one test file's own, with every fixture table and no rows. */
export interface TestDatabase {
  readonly version: PostgresVersion
  readonly url: string
  /** A new, connected DataSource on it. Its entities are the fixture domain's, unless the options say otherwise. */
  dataSource(options?: Partial<PostgresOptions>): Promise<DataSource>
  /** Destroys the DataSources made above, ends all other connections and drops the database. */
  drop(): Promise<void>
}

/** Copies the template database of that server, file by file: through the write-ahead log, as Postgres would by itself, takes five times as long. */
export async function createTestDatabase(version: PostgresVersion): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`
  const url = databaseUrl(version, name)
  const dataSources: DataSource[] = []
  await execute(version, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE} STRATEGY FILE_COPY`)
  return {
    version,
    url,
    dataSource: async (options = {}) => {
      const dataSource = new DataSource({ ...fixtureOptions, url, ...options })
      dataSources.push(dataSource)
      return dataSource.initialize()
    },
    drop: async () => {
      await Promise.all(dataSources.filter((each) => each.isInitialized).map((each) => each.destroy()))
      await execute(version, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

/** Runs the tests once per Postgres version that the package is tested on, in a `describe` of its own. */
export function describeOnEveryPostgres(tests: (version: PostgresVersion) => void): void {
  describe.each(postgresVersions)("on Postgres %i", (version) => tests(version))
}

function databaseUrl(version: PostgresVersion, database: string): string {
  const variable = urlVariable(version, Number(process.env["JEST_WORKER_ID"]))
  const server = process.env[variable]
  if (server === undefined) throw new Error(`${variable} is not set: run Jest with the integration project`)
  return Object.assign(new URL(server), { pathname: database }).href
}

async function execute(version: PostgresVersion, statement: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl(version, "postgres") })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}
