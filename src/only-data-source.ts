import type { DataSource } from "typeorm"
import { ChangeEventsError } from "./errors"
import type { DeliverySurroundings } from "./event-delivery"

/** The DataSource whose change log is meant when none is named. @throws ChangeEventsError DATA_SOURCE_NOT_ATTACHED */
export function onlyDataSource({ captures }: DeliverySurroundings): DataSource {
  const [first, second] = [...captures].filter(({ dataSource }) => dataSource.isInitialized)
  if (first && !second) return first.dataSource
  const message = first
    ? "which change log is meant is not known, for several DataSources have the subscriber: name one (`manager`, or `dataSource`)"
    : "no DataSource that has the subscriber is initialised: `await dataSource.initialize()` first, or name one (`manager`, or `dataSource`)"
  throw new ChangeEventsError("DATA_SOURCE_NOT_ATTACHED", message)
}
