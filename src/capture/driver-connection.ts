/** What we use of `pg`'s Client, so that its types are no part of ours. */
export interface DriverConnection {
  query(...args: unknown[]): unknown
  /** I idle, T in a transaction, E in a failed one. Since pg 8.21; null before the first answer. */
  getTransactionStatus?(): string | null
  /** Whether several texts may be under way at once. */
  readonly pipeline?: boolean
  getTypeParser(oid: number, format: string): (text: string) => unknown
  once(event: "end", listener: () => void): unknown
  end(): Promise<void>
  /** The process id that the server (or a pooler in its place) gave at connect. */
  readonly processID?: number | null
}

export interface DriverField {
  readonly name: string
  readonly dataTypeID: number
  readonly format: string
}

/** `pg`'s Result, which TypeORM reads after us. */
export interface DriverResult {
  command: string | null
  rowCount: number | null
  rows: unknown[]
  fields: DriverField[]
}

/** `pg` gives one result, or an array of them for a text of several statements. */
export function resultsOf(answer: unknown): DriverResult[] {
  if (Array.isArray(answer)) return answer as DriverResult[]
  return answer && typeof answer === "object" ? [answer as DriverResult] : []
}

/** What the driver says of the transaction; undefined where it cannot. */
export function statusOf(connection: DriverConnection): string | undefined {
  // With several texts under way the status is that of the last answer, which may not be this one's.
  return connection.pipeline ? undefined : (connection.getTransactionStatus?.() ?? undefined)
}
