import { setTimeout as pause } from "node:timers/promises"
import { createChangeLog } from "../../src/outbox/change-log-schema"
import { HOT_ROWS } from "../faults/programs/writes"
import { startHttpReceiver } from "../servers/http-receiver"
import { startRedisServer, type RedisServer } from "../servers/redis-server"
import { hookJournal, streamJournal, type FaultJournal, type HookJournal } from "./fault-journal"
import { startFaultProgram, type FaultProgram } from "./fault-program"
import { faultVerdict, type FaultVerdict, type LedgerEntry } from "./fault-verdict"
import { withClient } from "./with-client"

/** How much more is done than in the short form, which runs in CI. */
export const SCALE = process.env["FAULTS"] === "long" ? 10 : 1

/** How long a scenario may take, in milliseconds. */
export const PATIENCE_MS = 60_000 * SCALE

export const nothingWrong = { lost: [], phantom: [], disordered: [] }

/** How long what was committed may take to arrive once nothing is wrong any more, in milliseconds. */
const DEADLINE_MS = 30_000

export interface FaultRunOptions {
  /** A database with the fixture tables. */
  readonly url: string
  /** Where programs find it, if not there: a proxy. */
  readonly applicationUrl?: string
  readonly relayUrl?: string
  readonly redisUrl?: (server: RedisServer) => string
  /** More of redis.conf. */
  readonly redisFlags?: readonly string[]
}

const CLAIMS = "SELECT coalesce(sum(lease_token), 0)::int AS claims FROM change_events.cursor"

interface Trouble {
  readonly now: Date
  readonly last_error: string | null
  readonly last_error_at: Date
}

/** Applications that write, relays that deliver, and a consumer that keeps a journal of what arrives. */
export class FaultRun {
  private readonly programs = new Set<FaultProgram>()
  private readonly started: FaultProgram[] = []
  private isStopped = false

  private constructor(
    private readonly options: FaultRunOptions,
    private readonly journal: FaultJournal,
    private readonly server: RedisServer | undefined,
  ) {}

  /** With a Redis of its own, and a consumer of its stream. */
  static async start(options: FaultRunOptions): Promise<FaultRun> {
    await prepare(options.url)
    // Its process may die, its machine does not: what it acknowledges it has handed to the system, or the journal would miss what the relay
    // is not to blame for.
    const flags = ["--appendonly", "yes", "--appendfsync", "no", ...(options.redisFlags ?? [])]
    const redis = await startRedisServer({ flags })
    return new FaultRun(options, streamJournal(redis.url), redis)
  }

  /** With a receiver of webhooks. */
  static async startHook(options: FaultRunOptions): Promise<{ readonly run: FaultRun; readonly hook: HookJournal }> {
    await prepare(options.url)
    const hook = hookJournal(await startHttpReceiver())
    return { run: new FaultRun(options, hook, undefined), hook }
  }

  get redis(): RedisServer {
    if (!this.server) throw new Error("this run delivers to a webhook")
    return this.server
  }

  /** Writes until it is ended, or killed. */
  application(environment: Readonly<Record<string, string>> = {}): FaultProgram {
    const { url, applicationUrl = url } = this.options
    return this.program("application", { URL_OF_DATABASE: applicationUrl, ...environment })
  }

  relay(environment: Readonly<Record<string, string>> = {}): FaultProgram {
    const { url, relayUrl = url } = this.options
    return this.program("relay", { URL_OF_DATABASE: relayUrl, ...this.target(), ...environment })
  }

  /** One that is started again whenever it has ended, until the run is over. The first is as told, the others are sound. */
  relayAgain(environment: Readonly<Record<string, string>> = {}): FaultProgram {
    const first = this.relay(environment)
    void first.ended.then(() => !this.isStopped && this.relayAgain())
    return first
  }

  /** Resolves when so many more events have arrived; ten times as many in the long form. */
  async arrived(more: number): Promise<void> {
    const count = this.journal.entries.length + more * SCALE
    await this.until(() => this.journal.entries.length >= count, `${more * SCALE} more events`)
  }

  /** Resolves when cursors were claimed so many times in all. */
  claimed(count: number): Promise<void> {
    return this.untilRow(CLAIMS, (row) => (row as { claims: number }).claims >= count)
  }

  /** Resolves when the broker has troubled the relay in this way, at least once since it is asked for. */
  async troubled(how: RegExp): Promise<void> {
    const text = "SELECT clock_timestamp() AS now, last_error, last_error_at FROM change_events.cursor"
    const [first] = (await this.query(text)) as Trouble[]
    await this.untilRow(text, (row) => {
      const { last_error: error, last_error_at: at } = row as Trouble
      return error !== null && how.test(error) && at >= (first as Trouble).now
    })
  }

  /** Resolves when the statement gives such a row. */
  async untilRow(text: string, isSo: (row: unknown) => boolean): Promise<void> {
    let row: unknown
    for (const start = Date.now(); Date.now() - start < DEADLINE_MS; await pause(20)) {
      ;[row] = await this.query(text)
      if (row && isSo(row)) return
    }
    throw new Error(`waited in vain, with ${JSON.stringify(row)} in the end, for: ${text}`)
  }

  /** How often cursors were claimed in all. */
  async claims(): Promise<number> {
    const [row] = await this.query(CLAIMS)
    return (row as { claims: number }).claims
  }

  /** Once all that was committed has arrived, or the time for it is over. Prints what came twice. */
  async verdict(name: string): Promise<FaultVerdict & { readonly committed: number }> {
    const ledger = (await this.query("SELECT slug AS row, n FROM ledger")) as LedgerEntry[]
    const [log] = await this.query("SELECT count(*)::int AS rows FROM change_events.log")
    const { rows } = log as { rows: number }
    // The log's rows are counted too, so that what nobody committed has the time to arrive.
    const isComplete = (): boolean =>
      new Set(this.journal.entries.map(({ id }) => id)).size >= rows &&
      faultVerdict(ledger, this.journal.entries).lost.length === 0
    await this.until(isComplete, "all of it").catch(() => undefined)
    const verdict = faultVerdict(ledger, this.journal.entries)
    process.stdout.write(`${name}: ${ledger.length} committed, ${verdict.duplicates} delivered again\n`)
    return { ...verdict, committed: ledger.length }
  }

  async stop(): Promise<void> {
    this.isStopped = true
    for (const program of this.programs) await program.kill("SIGKILL")
    await this.journal.stop()
    await this.server?.remove()
  }

  async query(text: string): Promise<readonly unknown[]> {
    return withClient(this.options.url, async (client) => (await client.query<object>(text)).rows)
  }

  private target(): Readonly<Record<string, string>> {
    const { redisUrl = ({ url }: RedisServer) => url } = this.options
    if (this.server) return { URL_OF_REDIS: redisUrl(this.server) }
    return { URL_OF_HOOK: `http://127.0.0.1:${(this.journal as HookJournal).receiver.port}/` }
  }

  private program(name: string, environment: Readonly<Record<string, string>>): FaultProgram {
    const program = startFaultProgram(name, environment)
    this.programs.add(program)
    this.started.push(program)
    void program.ended.then(() => this.programs.delete(program))
    return program
  }

  /** Of all programs, also those that ended. */
  private complaints(): string {
    return this.started
      .map(
        ({ process: { spawnargs, exitCode, signalCode }, complaints }) =>
          `${spawnargs.at(-1)} (${exitCode ?? signalCode ?? "runs"}): ${complaints()}`,
      )
      .join("\n")
  }

  private async until(isSo: () => boolean, what: string): Promise<void> {
    const start = Date.now()
    while (!isSo()) {
      if (Date.now() - start > DEADLINE_MS)
        throw new Error(
          `waited in vain for ${what}: ${this.journal.entries.length} arrived in all\n${this.complaints()}`,
        )
      await pause(20)
    }
  }
}

/** The change log, the ledger, and the rows that all writers share. */
async function prepare(url: string): Promise<void> {
  await withClient(url, async (client) => {
    for (const statement of createChangeLog()) await client.query(statement)
    await client.query("CREATE TABLE ledger (slug text NOT NULL, n int NOT NULL, PRIMARY KEY (slug, n))")
    await client.query(
      "INSERT INTO dcim.site (name, slug, version) SELECT '0', 'row-' || i, 1 FROM generate_series(0, $1 - 1) i",
      [HOT_ROWS],
    )
  })
}
