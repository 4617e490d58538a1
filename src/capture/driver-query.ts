import type { DriverField, DriverResult } from "./driver-connection"

/** What we use of `pg`'s Connection, the protocol below its Client. */
export interface ProtocolConnection {
  readonly stream: { readonly writable: boolean; write(bytes: Buffer): boolean }
  readonly parsedStatements: Record<string, string | undefined>
  /** Since pg 8.17. */
  readonly submittedNamedStatements?: Record<string, string | undefined>
  parse(statement: { name: string; text: string }): void
  bind(portal: { portal: string; statement: string; values: readonly unknown[]; binary: boolean }): void
  describe(what: unknown): void
  execute(portal: { portal: string; rows: number }): void
  close(what: { type: "S"; name: string }): void
}

/** What we use of `pg`'s Query. */
export interface DriverQuery {
  name?: string | undefined
  readonly _result: Pick<DriverResult, "rows" | "fields">
  requiresPreparation(): boolean
  submit(connection: ProtocolConnection): Error | null
  handleRowDescription(message: RowDescription): void
  handleDataRow(message: DataRow): void
  handleCommandComplete(message: unknown, connection: ProtocolConnection): void
  handleError(error: unknown, connection: ProtocolConnection): void
  handleReadyForQuery(connection: ProtocolConnection): void
}

export interface RowDescription {
  readonly fields: DriverField[]
}

export interface DataRow {
  /** Texts, as the server sent them. */
  readonly fields: readonly (string | null)[]
}

export type Callback = (error: unknown, answer?: unknown) => void

/** A call to `query` as one object, without a callback. */
export interface QueryConfig {
  readonly text: string
  readonly values?: readonly unknown[] | undefined
  readonly name?: string | undefined
  readonly rowMode?: "array"
  readonly types?: unknown
}

export type DriverQueryClass = new (
  config: QueryConfig | string,
  values: readonly unknown[] | undefined,
  callback: Callback,
) => DriverQuery
