import type { DataSource } from "typeorm"
import { ChangeEventsError } from "../errors"
import type { RelayClient } from "./relay-connection"

/** What TypeORM keeps of `pg` on its driver. */
interface PostgresDriver {
  readonly master: { readonly options: Readonly<Record<string, unknown>> }
  readonly postgres: { readonly Client: new (options: object) => RelayClient }
}

const APPLICATION = "change-events relay"

/** A connection like those of the DataSource's pool, but of the relay's own: a relay must not take what requests wait for. */
export function driverClient(dataSource: DataSource): RelayClient {
  const { master, postgres } = dataSource.driver as unknown as Partial<PostgresDriver>
  if (!master || !postgres) throw new ChangeEventsError("DATA_SOURCE_NOT_ATTACHED", "the DataSource is not initialised")
  // `password` and `ssl` of the pool's options are not enumerable.
  const { password, ssl } = master.options
  return new postgres.Client({ ...master.options, password, ssl, keepAlive: true, application_name: APPLICATION })
}
