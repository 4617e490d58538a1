import { setTimeout as pause } from "node:timers/promises"
import { types } from "pg"
import { Site } from "../../../fixtures/inventory/site"
import { DeadLetters } from "../../../src/relay/dead-letters"
import type { DeadLetter } from "../../../src/relay/dead-letter"
import { changeLogTables } from "../../../src/outbox/change-log-tables"
import { describeOnEveryPostgres } from "../../servers/test-database"
import type { OutboxDatabase } from "../../support/outbox-database"
import { recordingBroker } from "../../support/recording-broker"
import { triggeredDatabase } from "../../support/triggered-database"

const TIMESTAMPTZ = 1184

describeOnEveryPostgres((version) => {
  describe("a dead letter of a row that the server wrote", () => {
    let log: OutboxDatabase
    let isRefusing: boolean

    beforeEach(async () => {
      isRefusing = true
      log = await triggeredDatabase(version, {
        changes: { entities: [{ entity: Site, capture: "triggers" as const }] },
      })
    })
    afterEach(() => log.close())

    const query = (text: string, values?: unknown[]): Promise<readonly unknown[]> => log.observer.query(text, values)
    const letters = () => new DeadLetters(query, changeLogTables())
    const refusing = () =>
      recordingBroker({
        answer: () => (isRefusing ? Object.assign(new Error("no"), { retryable: false }) : undefined),
      })

    /** The broker has refused the creation of a site. */
    async function refusedSite() {
      const broker = refusing()
      log.changes.registerBroker("broker", broker)
      await log.changes.startRelay({ leaseMs: 1_000 })
      await query("INSERT INTO dcim.site (name, slug, version) VALUES ('a', 'a', 1)")
      await untilLetter(({ state }) => state === "rejected")
      isRefusing = false
      return broker
    }

    async function untilLetter(isMeant: (letter: DeadLetter) => boolean): Promise<DeadLetter> {
      for (;;) {
        const found = (await letters().list()).find(isMeant)
        if (found) return found
        await pause(20)
      }
    }

    it("is sent again where its id was made in the database that the log was copied from", async () => {
      const broker = await refusedSite()
      await query("UPDATE change_events.dead_letter SET event_id = gen_random_uuid()")
      await letters().requeue({})
      await broker.untilAccepted(1)

      expect(broker.accepted.map(({ topic }) => topic)).toEqual(["create.dcim.site"])
    })

    it("stays dead, with the reason, where its row cannot be read any more", async () => {
      const broker = await refusedSite()
      await query(`UPDATE change_events.dead_letter SET body = replace(body, '"columns":[', '"columns":["more",')`)
      await letters().requeue({})
      const letter = await untilLetter(({ code }) => code === "EVENT_UNSERIALIZABLE")

      expect(letter).toMatchObject({ state: "rejected", topic: "create.dcim.site", attempts: 1 })
      expect(broker.accepted).toEqual([])
    })

    it("stays dead, with the reason, where its row holds no such event any more", async () => {
      const broker = await refusedSite()
      await query("UPDATE change_events.dead_letter SET event_id = gen_random_uuid(), topic = 'create.dcim.rack'")
      await letters().requeue({})
      const letter = await untilLetter(({ code }) => code === "EVENT_UNSERIALIZABLE")

      expect(letter.error).toContain("its row holds it no longer")
      expect(broker.accepted).toEqual([])
    })

    it("has its own id again, here and in the history, where the application reads times as texts", async () => {
      const parser = types.getTypeParser(TIMESTAMPTZ)
      types.setTypeParser(TIMESTAMPTZ, (text: string) => text)
      try {
        const broker = await refusedSite()
        const [letter] = await letters().list()
        await letters().requeue({})
        await broker.untilAccepted(1)
        const { events } = await log.changes.history(Site, 1)

        expect(letter).toMatchObject({ writtenAt: expect.any(Date) as Date, failedAt: expect.any(Date) as Date })
        expect(broker.accepted.map(({ id }) => id)).toEqual([letter?.eventId])
        expect(events.map(({ event }) => event.id)).toEqual([letter?.eventId])
      } finally {
        types.setTypeParser(TIMESTAMPTZ, parser as (text: string) => unknown)
      }
    })
  })
})
