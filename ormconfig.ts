import { DataSource } from "typeorm"
import { fixtureOptions } from "./fixtures/fixture-options"
import { fixtureMigrations } from "./migrations/fixture-migrations"

/** The fixture domain in the database that DATABASE_URL names: what the demo and the command line work on. */
export const dataSource = new DataSource({
  ...fixtureOptions,
  url: process.env.DATABASE_URL,
  migrations: [...fixtureMigrations],
})
