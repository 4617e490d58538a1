import type { DataSource, EntityManager } from "typeorm"
import { waitingForLock } from "./waiting-for-lock"

/** A transaction that writes `early` is committed once the `late` statement, on another connection, waits for it. */
export async function overtaken(
  dataSource: DataSource,
  url: string,
  early: (manager: EntityManager) => Promise<unknown>,
  late: () => Promise<unknown>,
): Promise<void> {
  let waiting: Promise<unknown> | undefined
  await dataSource.transaction(async (manager) => {
    await early(manager)
    waiting = late()
    await waitingForLock(url)
  })
  await waiting
}
