import { installTriggers } from "./ground-truth-triggers"
import { withClient } from "./with-client"

/** A row as the server writes it: the text of each column, by the column's name. Nothing is rounded. */
export type RowText = Readonly<Record<string, string | null>>

/** What one statement did to one row, as a trigger on the table saw it. */
export interface RowChange {
  /** Ascends in the order of the changes to one row. */
  readonly id: number
  readonly transactionId: string
  /** One change per row for `truncate`, too. */
  readonly operation: "insert" | "update" | "delete" | "truncate"
  readonly schema: string
  readonly table: string
  readonly before: RowText | null
  readonly after: RowText | null
  /** `to_jsonb` of the row: easier to read than its text, but parsing it rounds large numbers. */
  readonly beforeJson: Readonly<Record<string, unknown>> | null
  readonly afterJson: Readonly<Record<string, unknown>> | null
}

/** What really happened to the fixture tables of a database, whoever did it. */
export interface GroundTruth {
  /** A point to read from later. Take it while no transaction is open. */
  mark(): Promise<number>
  /** Every committed change after the mark, or all of them, in the order of their ids. */
  changesSince(mark?: number): Promise<readonly RowChange[]>
  /** Forgets all changes. */
  reset(): Promise<void>
}

/**
 * Has the server log every change to a fixture table in the transaction that makes it, raw SQL, cascades and TRUNCATE
 * included. Install it once per database.
 */
export async function installGroundTruth(url: string): Promise<GroundTruth> {
  await withClient(url, installTriggers)
  return {
    mark: () =>
      withClient(url, async (client) => {
        const { rows } = await client.query<{ mark: number }>(
          `SELECT coalesce(max(id), 0)::float8 AS mark FROM ground_truth.change`,
        )
        return rows[0]?.mark ?? 0
      }),
    changesSince: (mark = 0) =>
      withClient(url, async (client) => {
        const { rows } = await client.query<RowChange>(
          `SELECT *, id::float8 AS id FROM ground_truth.change WHERE id > $1 ORDER BY change.id`,
          [mark],
        )
        return rows
      }),
    reset: () => withClient(url, async (client) => void (await client.query(`TRUNCATE ground_truth.change`))),
  }
}
