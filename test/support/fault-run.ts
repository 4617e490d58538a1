import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { Redis } from "ioredis"
import type { Client } from "pg"
import { createChangeLog } from "../../src/outbox/change-log-schema"
import { startRedisServer, type RedisServer } from "../servers/redis-server"
import { faultVerdict, type FaultVerdict, type JournalEntry, type LedgerEntry } from "./fault-verdict"
import { withClient } from "./with-client"

const root = resolve(__dirname, "../..")

/** The short form runs in CI; `FAULTS=long` writes ten times as much. */
const SCALE = process.env["FAULTS"] === "long" ? 10 : 1

/** How long what was committed may take to arrive once nothing is wrong any more, in milliseconds. */
const DEADLINE_MS = 30_000

export interface FaultRunOptions {
  /** A database with the fixture tables. */
  readonly url: string
  /** Where programs find it, if not there: a proxy. */
  readonly applicationUrl?: string
  readonly relayUrl?: string
  readonly redisUrl?: (server: RedisServer) => string
}

/** A program of the suite. */
export interface FaultProgram {
  readonly process: ChildProcess
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** An application that writes, relays that deliver, a Redis stream, and a consumer that reads it. */
export class FaultRun {
  private readonly programs = new Set<FaultProgram>()
  private readonly journal: JournalEntry[] = []
  private isStopped = false
  private reading: Promise<void> | undefined

  private constructor(
    readonly redis: RedisServer,
    private readonly options: FaultRunOptions,
  ) {}

  static async start(options: FaultRunOptions): Promise<FaultRun> {
    await withClient(options.url, async (client) => {
      for (const statement of createChangeLog()) await client.query(statement)
      await client.query("CREATE TABLE ledger (slug text NOT NULL, n int NOT NULL, PRIMARY KEY (slug, n))")
      await client.query(
        "INSERT INTO dcim.site (name, slug, version) SELECT '0', 'row-' || i, 1 FROM generate_series(0, 4) i",
      )
    })
    // What it has acknowledged it has kept, or the journal would miss what the relay is not to blame for.
    const redis = await startRedisServer({ flags: ["--appendonly", "yes", "--appendfsync", "always"] })
    const run = new FaultRun(redis, options)
    run.reading = run.read()
    return run
  }

  /** Writes so many transactions, unless it is killed. */
  application(transactions = 150, environment: Readonly<Record<string, string>> = {}): FaultProgram {
    const { url, applicationUrl = url } = this.options
    const more = { URL_OF_DATABASE: applicationUrl, TRANSACTIONS: String(transactions * SCALE), ...environment }
    return this.program("application", more)
  }

  relay(environment: Readonly<Record<string, string>> = {}): FaultProgram {
    const { url, relayUrl = url, redisUrl = (server) => server.url } = this.options
    return this.program("relay", { URL_OF_DATABASE: relayUrl, URL_OF_REDIS: redisUrl(this.redis), ...environment })
  }

  /** One that is started again whenever it has ended, until the run is over. The first is as told, the others are sound. */
  relayAgain(environment: Readonly<Record<string, string>> = {}): FaultProgram {
    const first = this.relay(environment)
    void first.ended.then(() => !this.isStopped && this.relayAgain())
    return first
  }

  /** Resolves when so many events have arrived. */
  async arrived(count: number): Promise<void> {
    await this.until(() => this.journal.length >= count * SCALE, `${count * SCALE} events to arrive`)
  }

  get arrivedCount(): number {
    return this.journal.length
  }

  /** Once all that was committed has arrived, or the time for it is over. Prints what came twice. */
  async verdict(name: string): Promise<FaultVerdict & { readonly committed: number }> {
    const ledger = await withClient(this.options.url, async (client) => {
      return (await client.query<LedgerEntry>("SELECT slug AS row, n FROM ledger")).rows
    })
    const isComplete = (): boolean => faultVerdict(ledger, this.journal).lost.length === 0
    await this.until(isComplete, "all to arrive").catch(() => undefined)
    const verdict = faultVerdict(ledger, this.journal)
    process.stdout.write(`${name}: ${ledger.length} committed, ${verdict.duplicates} delivered again\n`)
    return { ...verdict, committed: ledger.length }
  }

  async stop(): Promise<void> {
    this.isStopped = true
    for (const program of this.programs) await program.kill("SIGKILL")
    await this.reading
    await this.redis.remove()
  }

  async query(text: string): Promise<void> {
    await withClient(this.options.url, (client: Client) => client.query(text))
  }

  private program(name: string, environment: Readonly<Record<string, string>>): FaultProgram {
    const script = join(root, "test/faults/programs", `${name}.ts`)
    const child = spawn(process.execPath, ["--import", "tsx", script], {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "ignore", "ignore"],
    })
    const ended = once(child, "exit").then(() => void this.programs.delete(program))
    const program: FaultProgram = {
      process: child,
      ended,
      kill: async (signal = "SIGKILL") => {
        child.kill(signal)
        await ended
      },
    }
    this.programs.add(program)
    return program
  }

  private async until(isSo: () => boolean, what: string): Promise<void> {
    const start = Date.now()
    while (!isSo()) {
      if (Date.now() - start > DEADLINE_MS)
        throw new Error(`waited in vain for ${what}: ${this.journal.length} arrived`)
      await pause(20)
    }
  }

  private async read(): Promise<void> {
    const client = new Redis(this.redis.url, {
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
      disconnectTimeout: 100,
    })
    client.on("error", () => undefined)
    let last = "0"
    while (!this.isStopped) {
      const answer = await client.xread("COUNT", 1_000, "BLOCK", 100, "STREAMS", "events", last).catch(() => null)
      for (const [id, fields] of answer?.[0]?.[1] ?? []) {
        last = id
        this.journal.push(journalEntry(fields))
      }
    }
    client.disconnect()
  }
}

function journalEntry(fields: readonly string[]): JournalEntry {
  const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? ""
  const { postchange } = JSON.parse(field("body")) as { postchange: { slug: string; name: string } }
  return { id: field("id"), row: postchange.slug, n: Number(postchange.name) }
}
