import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { IPAddress } from "../../../fixtures/inventory/ip-address"
import { Site } from "../../../fixtures/inventory/site"
import { changeEvents, type ChangeEvent } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { outboxDatabase, type OutboxDatabase } from "../../support/outbox-database"

describeOnEveryPostgres((version) => {
  let log: OutboxDatabase

  beforeAll(async () => {
    log = await outboxDatabase(version, {
      changes: { maxRowsPerStatement: 1 },
      dataSource: { entities: [...fixtureEntities] },
    })
  })
  afterAll(() => log.close())

  const sites = () => log.dataSource.getRepository(Site)
  const site = (name: string) => sites().save({ name, slug: name })
  /** A time that everything written so far is before, and everything written later behind, as a Date can tell. */
  const now = async (): Promise<Date> => {
    const read = async () => (await log.observer.query<[{ now: Date }]>("SELECT clock_timestamp() AS now"))[0].now
    const mark = new Date((await read()).getTime() + 1)
    while ((await read()) <= mark);
    return mark
  }
  const names = (events: readonly { readonly event: ChangeEvent }[]) =>
    events.map(({ event }) => event.postchange?.["name"] ?? event.action)

  it("tells the changes of a row, newest first, a page at a time", async () => {
    const { id } = await site("h0")
    for (let n = 1; n < 6; n++) await sites().update({ id }, { name: `h${n}` })
    await sites().delete({ id })

    const first = await log.changes.history(Site, id, { limit: 3 })
    const second = await log.changes.history(Site, id, { limit: 3, before: first.next as string })
    const third = await log.changes.history(Site, id, { limit: 3, before: second.next as string })

    expect([first, second, third].map(({ events }) => names(events))).toEqual([
      ["delete", "h5", "h4"],
      ["h3", "h2", "h1"],
      ["h0"],
    ])
    expect(third.next).toBeUndefined()
    expect(first.events[1]?.event.context.requestId).toMatch(/^[0-9a-f-]{36}$/)
    const typed: string | undefined = first.events[1]?.event.postchange?.name
    expect(typed).toBe("h5")
  })

  it("tells a row as it stood, and nothing of what the log does not know", async () => {
    const early = await now()
    const { id } = await site("s0")
    const created = await now()
    await sites().update({ id }, { name: "s1" })
    const updated = await now()
    await sites().delete({ id })
    const deleted = await now()

    const states = await Promise.all([early, created, updated, deleted].map((at) => log.changes.stateAt(Site, id, at)))
    expect(states.map((state) => state?.["name"] ?? state)).toEqual([null, "s0", "s1", null])
    expect(await log.changes.stateAt(Site, 999_999, deleted)).toBeUndefined()
  })

  it("tells rows that the server wrote, and the changes of one transaction", async () => {
    const addresses = log.dataSource.getRepository(IPAddress)
    const [one, two] = await addresses.save([{ address: "10.1.0.1/24" }, { address: "10.1.0.2/24" }])
    await log.dataSource.transaction(async (manager) => {
      await manager.createQueryBuilder().update(IPAddress).set({ dnsName: "both" }).execute()
      await manager.update(IPAddress, { id: one?.id as string }, { dnsName: "one" })
    })

    const { events } = await log.changes.history(IPAddress, { id: two?.id as string })
    expect(events.map(({ event }) => event.postchange?.dnsName)).toEqual(["both", ""])
    const told = await log.changes.transaction(events[0]?.transactionId as string)
    expect(told.map((event) => (event as ChangeEvent).postchange?.["dnsName"])).toEqual(["both", "both", "one"])
    const again = await log.changes.transaction(events[0]?.transactionId as string)
    expect(again).toEqual(told)
    expect(await log.changes.transaction("no number")).toEqual([])
  })

  it("needs a key, an entity that is captured, and an outbox", async () => {
    await expect(log.changes.history(Site, {})).rejects.toMatchObject({ code: "RECORD_INVALID" })
    await expect(log.changes.history("Nothing", 1)).rejects.toMatchObject({ code: "DATA_SOURCE_NOT_ATTACHED" })
    await expect(changeEvents().transaction("1")).rejects.toMatchObject({ code: "OUTBOX_OFF" })
  })
})
