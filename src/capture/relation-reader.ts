import { setTimeout as pause } from "node:timers/promises"
import type { DriverField, DriverResult } from "./driver-connection"
import type { ListedKey } from "./relation-list"
import { readingText, recoverText, type WantedLists } from "./relation-sql"
import type { RowImage } from "./row-image"
import { ReadingRefused, type RunText } from "./run-texts"
import { textOfKey } from "./touched-row"

/** A row, and what a relation lists for it. */
export interface FoundRow {
  readonly image: RowImage
  readonly fields: readonly DriverField[]
  readonly listed: readonly ListedKey[]
}

/** The rows of each wanted relation, by the text of their key. */
export interface Reading {
  readonly found: readonly ReadonlyMap<string, FoundRow>[]
  /** When, in seconds by the server's clock, the rows were locked. */
  readonly readAt: number
}

/**
 * Others complete their changes of a list within a COMMIT's time each, of which many may stand in line: after one second twenty writers on a
 * busy machine were not through. A row may be held by a long transaction.
 */
const LONGEST_WAIT_MS = { forList: 5_000, forRow: 100 }
const LONGEST_PAUSE_MS = 4

const NO_PRIVILEGE = "42501"

export interface ReaderOptions {
  /** Keys beyond this many of one relation are not brought here. */
  readonly maxKeys: number
  /**
   * Whether rows are locked. Not before Postgres 18: there a captured UPDATE locks its row first, at its newest version, and two of them
   * came to a deadlock over a row that a third had locked and not changed.
   */
  readonly locksRows: boolean
}

/** Reads the lists of rows in the transaction that changed them, just before its COMMIT. */
export class RelationReader {
  private locksRows: boolean

  constructor(private readonly options: ReaderOptions) {
    this.locksRows = options.locksRows
  }

  /** @throws ReadingRefused, or the server's error, with the transaction left as it was */
  async read(run: RunText, wanted: readonly WantedLists[]): Promise<Reading> {
    const start = Date.now()
    for (;;) {
      const { heldLists, heldRows, isolation, readAt, found } = this.parse(await this.attempt(run, wanted), wanted)
      if (isolation === "serializable") throw new ReadingRefused("its transaction is serializable")
      const longest = heldLists > 0 ? LONGEST_WAIT_MS.forList : heldRows > 0 ? LONGEST_WAIT_MS.forRow : 0
      if (Date.now() - start >= longest) {
        if (heldLists > 0) throw new ReadingRefused(`others were changing its list for ${LONGEST_WAIT_MS.forList} ms`)
        return { found, readAt }
      }
      // Not for a fixed time, so that two that wait for one list do not go on meeting.
      await pause(1 + Math.random() * LONGEST_PAUSE_MS)
    }
  }

  /** A role that may not UPDATE the rows may not lock them either. */
  private async attempt(run: RunText, wanted: readonly WantedLists[]): Promise<readonly DriverResult[]> {
    try {
      return await this.send(run, wanted)
    } catch (error) {
      if (!this.locksRows || (error as { code?: unknown }).code !== NO_PRIVILEGE) throw error
      this.locksRows = false
      return this.send(run, wanted)
    }
  }

  private async send(run: RunText, wanted: readonly WantedLists[]): Promise<readonly DriverResult[]> {
    try {
      return await run(readingText(wanted, { locksRows: this.locksRows, maxKeys: this.options.maxKeys }))
    } catch (error) {
      // Fails where there was no transaction to recover, or no connection: the COMMIT will tell.
      await run(recoverText).catch(() => undefined)
      throw error
    }
  }

  private parse(results: readonly DriverResult[], wanted: readonly WantedLists[]) {
    // Between the answers to SAVEPOINT and RELEASE; from the end, because rows are locked or not.
    const answers = results.slice(1, -1)
    const lists = answers.slice(-2 * wanted.length)
    const [heldLists = 0, ...heldRows] = answers
      .slice(0, -2 * wanted.length - 1)
      .map(({ rows }) => Number((rows[0] as readonly string[])[0]))
    const [isolation, readAt] = (answers.at(-2 * wanted.length - 1)?.rows[0] ?? []) as string[]
    return {
      isolation,
      readAt: Number(readAt),
      found: wanted.map((each, index) =>
        this.foundRows(each, lists[2 * index] as DriverResult, lists[2 * index + 1] as DriverResult),
      ),
      heldLists,
      heldRows: heldRows.reduce((sum, count) => sum + count, 0),
    }
  }

  private foundRows(
    { relation }: WantedLists,
    { rows, fields }: DriverResult,
    junction: DriverResult,
  ): ReadonlyMap<string, FoundRow> {
    const pairs = junction.rows as string[][]
    const { maxKeys } = this.options
    if (pairs.length > maxKeys) throw new ReadingRefused(`its lists have more than ${maxKeys} keys`)
    const lists = new Map<string, ListedKey[]>()
    for (const pair of pairs) {
      const own = textOfKey(relation.own.map((index) => pair[index] ?? null))
      const list = lists.get(own) ?? []
      lists.set(own, list)
      list.push(relation.other.map((index) => pair[index] as string))
    }
    return new Map(
      (rows as RowImage[]).map((image) => {
        const key = textOfKey(relation.referenced.map((index) => image[index] ?? null))
        return [key, { image, fields, listed: lists.get(key) ?? [] }]
      }),
    )
  }
}
