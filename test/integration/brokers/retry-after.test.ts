import type { ServerResponse } from "node:http"
import { Site } from "../../../fixtures/inventory/site"
import { webhookBroker } from "../../../src/brokers/webhook"
import { startHttpReceiver, type HttpReceiver } from "../../servers/http-receiver"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

const ASKED_MS = 1_000
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
const impatient = { retryDelayMs: 1, maxRetryDelayMs: 5 }

let receiver: HttpReceiver
let arrivals: number[]

beforeEach(async () => {
  receiver = await startHttpReceiver()
  arrivals = []
})
afterEach(() => receiver.kill())

function hook() {
  return webhookBroker({ url: `http://127.0.0.1:${receiver.port}/hook`, secret, allowPrivateAddresses: true })
}

/** Refuses the first request, and notes when each came. */
function refuseFirst(status: number, retryAfter: () => string): void {
  receiver.answer((response: ServerResponse) => {
    arrivals.push(performance.now())
    if (arrivals.length === 1) response.writeHead(status, { "retry-after": retryAfter() }).end()
    else response.writeHead(204).end()
  })
}

const waitedMs = (): number => (arrivals[1] as number) - (arrivals[0] as number)

describe("direct delivery", () => {
  let captured: CapturedDatabase

  beforeEach(async () => {
    captured = await captureDatabase(18, { changes: { delivery: impatient } })
  })
  afterEach(() => captured.close())

  const insert = (name: string) => captured.dataSource.getRepository(Site).insert({ name, slug: name })

  it.each([429, 503])(
    "leaves a webhook that answers %i alone for as long as it asks, and loses nothing",
    async (status) => {
      refuseFirst(status, () => "1")
      captured.changes.registerBroker("hook", hook(), { delivery: { maxAttempts: 1 } })
      await insert("a")
      await receiver.received(1)
      await insert("b")
      await receiver.received(3)

      expect(waitedMs()).toBeGreaterThanOrEqual(ASKED_MS)
      await captured.changes.flush()
      expect(captured.changes.status().brokers["hook"]).toMatchObject({ delivered: 2, failed: 0 })
    },
  )

  it("waits no longer than maxRetryAfterMs, whatever a webhook asks for", async () => {
    refuseFirst(429, () => "3600")
    captured.changes.registerBroker("hook", hook(), { delivery: { maxRetryAfterMs: 300 } })
    await insert("a")
    await receiver.received(2)

    expect(waitedMs()).toBeGreaterThanOrEqual(300)
    expect(waitedMs()).toBeLessThan(30_000)
  })
})

describe("a relay", () => {
  let log: OutboxDatabase

  beforeEach(async () => {
    log = await outboxDatabase(18)
  })
  afterEach(() => log.close())

  const insert = (name: string) => log.dataSource.getRepository(Site).insert({ name, slug: name })

  it.each([
    ["seconds", () => "1"],
    ["a date", () => new Date(Date.now() + 2_000).toUTCString()],
  ])(
    "leaves a webhook alone until the time that it gives as %s, also while commits wake the relay",
    async (_, asked) => {
      refuseFirst(503, asked)
      log.changes.registerBroker("hook", hook(), { delivery: impatient })
      await log.changes.startRelay()
      await insert("a")
      await receiver.received(1)
      for (const name of ["b", "c", "d"]) await insert(name)
      await receiver.received(5)

      // A date has whole seconds: of two, one is left for certain. Two clocks are compared, so a few milliseconds are not.
      expect(waitedMs()).toBeGreaterThanOrEqual(asked() === "1" ? ASKED_MS : ASKED_MS - 20)
      expect(await log.observer.query("SELECT * FROM change_events.dead_letter")).toEqual([])
    },
  )

  it("stops at once in the middle of such a pause", async () => {
    refuseFirst(429, () => "3600")
    log.changes.registerBroker("hook", hook())
    const relay = await log.changes.startRelay()
    await insert("a")
    await receiver.received(1)
    const before = performance.now()
    await relay.stop({ timeoutMs: 60_000 })

    expect(performance.now() - before).toBeLessThan(10_000)
    expect(arrivals).toHaveLength(1)
  })
})
