import { ROWS_AS_TEXT } from "./rows-as-text"
import { resultsOf, type DriverConnection, type DriverResult } from "./driver-connection"

/** Runs a text on the transaction's own connection, and gives its rows as lists of texts. */
export type RunText = (text: string) => Promise<readonly DriverResult[]>

/** Why nothing could be read. */
export class ReadingRefused extends Error {}

export function runTexts(connection: DriverConnection, bareQuery: DriverConnection["query"]): RunText {
  return async (text) => resultsOf(await bareQuery.call(connection, { text, ...ROWS_AS_TEXT }))
}
