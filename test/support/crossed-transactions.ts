import type { DataSource, EntityManager } from "typeorm"
import { waitingForLock } from "./waiting-for-lock"

type Write = (manager: EntityManager) => Promise<unknown>

/** What a transaction writes at first, and what once the other one has done so, too. */
export type CrossedWrites = readonly [first: Write, second: Write]

/** How long the server waits before it looks for a deadlock. Its default is a second. */
export const EARLY_DEADLOCKS = { options: "-c deadlock_timeout=200ms" }

export interface CrossedOutcome {
  readonly isFirstCommitted: boolean
  /** What those failed with that did. */
  readonly failures: readonly unknown[]
}

/** Two transactions, of which each waits in the end for what the other one has written first. */
export async function crossedTransactions(
  dataSource: DataSource,
  url: string,
  [one, other]: readonly [CrossedWrites, CrossedWrites],
): Promise<CrossedOutcome> {
  const both = [begun(dataSource, one), begun(dataSource, other)] as const
  for (const { written } of both) await written
  both[0].goOn()
  // Not at the same moment: each is to be found waiting when the server looks on behalf of the other.
  await waitingForLock(url)
  both[1].goOn()
  const outcomes = await Promise.allSettled(both.map(({ ended }) => ended))
  return {
    isFirstCommitted: outcomes[0]?.status === "fulfilled",
    failures: outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : [])),
  }
}

function begun(dataSource: DataSource, [first, second]: CrossedWrites) {
  const [gate, goOn] = openGate()
  const [written, tellWritten] = openGate()
  const ended = dataSource.transaction(async (manager) => {
    await first(manager)
    tellWritten()
    await gate
    await second(manager)
  })
  return { written, goOn, ended }
}

function openGate(): readonly [gate: Promise<void>, open: () => void] {
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => (open = resolve))
  return [gate, () => open()]
}
