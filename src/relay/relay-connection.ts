import { asError } from "../errors"
import { isServersWord } from "../runtime/servers-word"
import { within } from "../runtime/within"

/** What we use of `pg`'s Client. */
export interface RelayClient {
  connect(): Promise<unknown>
  query(config: QueryConfig, answered: (error: Error | null | undefined, answer: QueryAnswer) => void): void
  end(): Promise<void>
  on(event: "error" | "end", listener: (error?: Error) => void): unknown
  on(event: "notification", listener: (message: { payload?: string }) => void): unknown
  removeAllListeners(): unknown
  readonly processID?: number | null
}

interface QueryConfig {
  readonly text: string
  readonly values?: unknown[]
  readonly rowMode?: "array"
}

interface QueryAnswer {
  readonly rows: unknown[]
}

export interface RelayConnectionOptions {
  /** Makes a client that is not connected yet. */
  readonly createClient: () => RelayClient
  /** How long a statement or an attempt to connect may take, in milliseconds. */
  readonly timeoutMs: number
}

/**
 * A connection of the relay's own, made when it is needed and made anew after it broke. A statement that gets no answer in time costs the
 * connection: behind a network that swallows packets no later one would get any either.
 */
export class RelayConnection {
  private client: Promise<RelayClient> | undefined
  private isClosed = false
  private readonly turns = new WeakMap<Promise<RelayClient>, Promise<unknown>>()

  constructor(private readonly options: RelayConnectionOptions) {}

  /** Rows as objects. */
  async query(text: string, values: unknown[] = []): Promise<readonly unknown[]> {
    return (await this.send({ text, values })).rows
  }

  /** Rows as lists, which cost less to make. */
  async lists(text: string, values: unknown[]): Promise<readonly (readonly unknown[])[]> {
    return (await this.send({ text, values, rowMode: "array" })).rows as unknown[][]
  }

  /** For good: what is still asked of it fails. */
  async close(): Promise<void> {
    this.isClosed = true
    const { client } = this
    this.client = undefined
    await client?.then((open) => within(this.options.timeoutMs, open.end(), late)).catch(() => undefined)
  }

  private async send(config: QueryConfig): Promise<QueryAnswer> {
    if (this.isClosed) throw new Error("the relay's connection is closed")
    const client = this.connected()
    try {
      return await within(this.options.timeoutMs, this.inTurn(client, config), late)
    } catch (thrown) {
      if (!isServersWord(thrown) || isReadOnly(thrown)) this.drop(client)
      throw asError(thrown)
    }
  }

  /** One at a time: `pg` 9 will not queue what is sent at the same time. */
  private inTurn(client: Promise<RelayClient>, config: QueryConfig): Promise<QueryAnswer> {
    const before = this.turns.get(client) ?? client
    const answering = before.then(() => client).then((open) => answerOf(open, config))
    this.turns.set(
      client,
      answering.catch(() => undefined),
    )
    return answering
  }

  /** An attempt that failed is forgotten, whatever was said: the next statement is to try again. */
  private connected(): Promise<RelayClient> {
    if (this.client) return this.client
    const connecting = this.connect()
    this.client = connecting
    connecting.catch(() => this.client === connecting && (this.client = undefined))
    return connecting
  }

  private async connect(): Promise<RelayClient> {
    const client = this.options.createClient()
    client.on("error", () => this.forget(client))
    client.on("end", () => this.forget(client))
    try {
      await within(this.options.timeoutMs, client.connect(), late)
      return client
    } catch (thrown) {
      // Not waited for: it may be what does not answer. Without it one that connects later would hold a connection of the server for good.
      void client.end().catch(() => undefined)
      throw thrown
    }
  }

  private forget(gone: RelayClient): void {
    void this.client?.then((client) => client === gone && (this.client = undefined)).catch(() => undefined)
  }

  /** Not waited for: it may be what does not answer. */
  private drop(client: Promise<RelayClient>): void {
    if (this.client === client) this.client = undefined
    void client.then((open) => open.end()).catch(() => undefined)
  }
}

/** By a callback, not by the promise of `pg`, for the sake of speed (docs/decisions/0007). */
export function answerOf(client: RelayClient, config: QueryConfig): Promise<QueryAnswer> {
  return new Promise((resolve, reject) => {
    client.query(config, (error, answer) => (error ? reject(error) : resolve(answer)))
  })
}

/** Whether the session may not write: a new one may, or find the primary. */
function isReadOnly(thrown: unknown): boolean {
  return (thrown as { code?: unknown } | undefined)?.code === "25006"
}

const late = (): Error => Object.assign(new Error("the database did not answer in time"), { code: "ETIMEDOUT" })
