import { Redis } from "ioredis"
import type { HttpReceiver } from "../servers/http-receiver"
import type { JournalEntry } from "./fault-verdict"

/** What a consumer got so far, in the order of its arrival. */
export interface FaultJournal {
  readonly entries: readonly JournalEntry[]
  stop(): Promise<void>
}

export const STREAM = "events"

/** A consumer of the Redis stream. It reads on wherever it was, also behind a restart of the server. */
export function streamJournal(url: string): FaultJournal {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null, disconnectTimeout: 100 })
  client.on("error", () => undefined)
  const entries: JournalEntry[] = []
  let isStopped = false
  const reading = read()
  return {
    entries,
    async stop() {
      isStopped = true
      client.disconnect()
      await reading
    },
  }

  async function read(): Promise<void> {
    let last = "0"
    while (!isStopped) {
      const answer = await client.xread("COUNT", 1_000, "BLOCK", 100, "STREAMS", STREAM, last).catch(() => null)
      for (const [id, fields] of answer?.[0]?.[1] ?? []) {
        last = id
        const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? ""
        entries.push(journalEntry(field("id"), field("body")))
      }
    }
  }
}

/** A journal that a webhook's receiver keeps. */
export interface HookJournal extends FaultJournal {
  readonly receiver: HttpReceiver
  /** What it does with a request from now on: note it down, note it down and never answer, or answer 503 without noting it down. */
  behave(behaviour: "take" | "take and hang" | "refuse"): void
}

/** What a receiver has got, also where it did not say so. */
export function hookJournal(receiver: HttpReceiver): HookJournal {
  const entries: JournalEntry[] = []
  let now: Parameters<HookJournal["behave"]>[0] = "take"
  receiver.answer((response, { headers, body }) => {
    if (now === "refuse") return void response.writeHead(503).end()
    entries.push(journalEntry(String(headers["webhook-id"]), body))
    if (now === "take") response.writeHead(204).end()
  })
  return { entries, receiver, behave: (behaviour) => void (now = behaviour), stop: () => receiver.kill() }
}

interface Image {
  readonly slug: string
  readonly name: string
}

/** A row's changes are counted in its name; its removal is the one behind the last. */
function journalEntry(id: string, body: string): JournalEntry {
  const { prechange, postchange } = JSON.parse(body) as { prechange: Image | null; postchange: Image | null }
  const { slug, name } = (postchange ?? prechange) as Image
  return { id, row: slug, n: Number(name) + (postchange ? 0 : 1) }
}
