import type { EntityManager, QueryRunner } from "typeorm"
import { datasetKeys, loadDataset } from "../../../fixtures/dataset"
import { Device } from "../../../fixtures/inventory/device"
import { Tag } from "../../../fixtures/inventory/tag"
import type { ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase, type ReceivedEvent } from "../../support/captured-database"
import { withClient } from "../../support/with-client"

const { devices, tags } = datasetKeys

const tagsOf = (manager: EntityManager, id: number = devices.spare) =>
  manager.createQueryBuilder().relation(Device, "tags").of(id)

function expectChain(events: readonly ReceivedEvent[]): void {
  for (const [index, event] of events.slice(1).entries()) expect(event.prechange).toEqual(events[index]?.postchange)
}

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  async function capture(changes: Omit<ChangeEventsOptions, "brokers" | "logger"> = {}): Promise<EntityManager> {
    captured = await captureDatabase(version, { changes, dataSource: { poolSize: 20 } })
    await loadDataset(captured.dataSource.manager)
    await captured.events()
    return captured.dataSource.manager
  }
  afterEach(() => captured.close())

  const listed = async (): Promise<readonly string[]> => {
    const { tags: found } = await captured.dataSource.manager.findOneOrFail(Device, {
      where: { id: devices.spare },
      relations: { tags: true },
    })
    return found.map(({ id }) => id).sort()
  }

  async function onRunner<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = captured.dataSource.createQueryRunner()
    return work(runner).finally(() => runner.release())
  }

  describe("writers of one list at the same time", () => {
    it("are told as a chain when two transactions add a tag each", async () => {
      await capture()
      let waiting = 0
      let release: () => void = () => undefined
      const together = new Promise<void>((resolve) => (release = resolve))
      const add = (tag: string): Promise<void> =>
        captured.dataSource.transaction(async (manager) => {
          await tagsOf(manager).add(tag)
          if (++waiting === 2) release()
          await together
        })
      await Promise.all([add(tags.core), add(tags.lab)])

      const events = await captured.events()
      expect(events.map(({ action }) => action)).toEqual(["update", "update"])
      expectChain(events)
      expect(events[0]?.prechange?.["tags"]).toEqual([])
      expect(events[1]?.postchange?.["tags"]).toEqual([tags.core, tags.lab].sort())
    })

    it.each(["without a transaction", "each in a transaction"])("are told as a chain, %s", async (mode) => {
      const manager = await capture()
      const saved = await manager.save(
        Tag,
        Array.from({ length: 60 }, (_, index) => ({ name: `t${index}` })),
      )
      await captured.events()
      await Promise.all(
        saved.map(({ id }) =>
          mode === "without a transaction"
            ? tagsOf(manager).add(id)
            : captured.dataSource.transaction((own) => tagsOf(own).add(id)),
        ),
      )

      const events = await captured.events()
      expect(events).toHaveLength(60)
      expectChain(events)
      expect(events.at(-1)?.postchange?.["tags"]).toEqual(await listed())
    })

    it("are told as two chains when each changes the same two lists, in either order", async () => {
      const manager = await capture()
      const saved = await manager.save(
        Tag,
        Array.from({ length: 30 }, (_, index) => ({ name: `t${index}` })),
      )
      await captured.events()
      await Promise.all(
        saved.map(({ id }, index) =>
          captured.dataSource.transaction(async (own) => {
            const both = [devices.spare, devices.switch]
            for (const device of index % 2 === 0 ? both : both.reverse()) await tagsOf(own, device).add(id)
          }),
        ),
      )

      const events = await captured.events()
      expect(events).toHaveLength(60)
      for (const device of [devices.spare, devices.switch])
        expectChain(events.filter(({ postchange }) => postchange?.["id"] === device))
      expect(captured.logged).toEqual([])
    })

    it("are reported, and none told wrong, while one of them does not go on", async () => {
      await capture()
      await withClient(captured.database.url, async (client) => {
        const name = JSON.stringify(['"dcim"."device"', "tags", String(devices.spare)])
        await client.query("BEGIN")
        await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [name])
        await captured.dataSource.transaction((own) => tagsOf(own).add(tags.core))
      })

      expect(await listed()).toEqual([tags.core])
      expect(await captured.events()).toEqual([])
      expect(captured.logged.join()).toContain("others were changing its list")
    })

    // Before, the row is not locked (docs/guarantees.md, G3).
    if (version >= 18)
      it("show the owner as it is when others change it", async () => {
        const manager = await capture()
        await Promise.all(
          Array.from({ length: 30 }, (_, index) =>
            index % 2 === 0
              ? manager.update(Device, devices.spare, { position: index })
              : manager
                  .save(Device, { id: devices.spare, tags: [{ id: index % 4 === 1 ? tags.core : tags.lab }] })
                  .catch(() => 0),
          ),
        )

        const without = ({ tags: _tags, ...row }: Readonly<Record<string, unknown>>): unknown => row
        const events = await captured.events()
        for (const [index, event] of events.slice(1).entries()) {
          expect(without(event.prechange ?? {})).toEqual(without(events[index]?.postchange ?? {}))
        }
      })

    it("do not wait long for one who holds the owner's row", async () => {
      const manager = await capture()
      await onRunner(async (runner) => {
        await runner.startTransaction()
        await runner.manager.update(Device, devices.spare, { position: 7 })
        await tagsOf(manager).add(tags.core)
        await runner.rollbackTransaction()
      })

      expect((await captured.events()).map(({ differences }) => differences.added)).toEqual([{ tags: [tags.core] }])
    })
  })

  describe("a transaction of another isolation", () => {
    it("of repeatable reads tells the lists of its snapshot", async () => {
      const manager = await capture()
      await captured.dataSource.transaction("REPEATABLE READ", async (own) => {
        await own.find(Device)
        await manager.update(Device, devices.spare, { position: 3 })
        await tagsOf(own).add(tags.core)
      })

      const event = (await captured.events()).find(({ differences }) => "tags" in (differences.added ?? {}))
      expect(event?.differences).toEqual({ added: { tags: [tags.core] }, removed: { tags: [] } })
    })

    it("that is serializable is not read in, which could fail it, but reported", async () => {
      await capture()
      await captured.dataSource.transaction("SERIALIZABLE", async (own) => {
        await tagsOf(own).add(tags.core)
        await own.save(Device, { name: "new", tags: [{ id: tags.lab }] })
      })

      const events = await captured.events()
      expect(events.map(({ action, postchange }) => [action, postchange?.["tags"]])).toEqual([["create", [tags.lab]]])
      expect(captured.logged.join()).toContain("its transaction is serializable")
      expect(captured.changes.status().uncaptured).toEqual({ statements: 1, rows: 1 })
    })

    it("that is serializable is refused instead where the policy is to throw", async () => {
      await capture({ onUncaptured: "throw" })
      const work = captured.dataSource.transaction("SERIALIZABLE", (own) => tagsOf(own).add(tags.core))

      await expect(work).rejects.toMatchObject({ code: "WRITE_UNCAPTURED" })
      expect(await listed()).toEqual([])
    })
  })

  describe("the transaction itself", () => {
    it("is sent nothing more when it touches no list", async () => {
      const manager = await capture()
      const sent: string[] = []
      await onRunner(async (runner) => {
        const client = (await runner.connect()) as { connection: { query(text: string): void } }
        const bare = client.connection.query.bind(client.connection)
        client.connection.query = (text) => (sent.push(text), bare(text))
        await runner.startTransaction()
        await runner.manager.update(Device, devices.spare, { position: 1 })
        await runner.commitTransaction()
        client.connection.query = bare
      })

      expect(sent).toEqual(["START TRANSACTION", "COMMIT"])
      expect(manager).toBeDefined()
    })

    it("that has failed ends as it would", async () => {
      await capture()
      await onRunner(async (runner) => {
        await runner.startTransaction()
        await tagsOf(runner.manager).add(tags.core)
        await runner.query("SELECT 1/0").catch(() => undefined)
        await runner.commitTransaction()
      })

      expect(await listed()).toEqual([])
      expect(await captured.events()).toEqual([])
      expect(captured.logged).toEqual([])
    })

    it("keeps other statements of the same connection in their place", async () => {
      await capture()
      const [, failed] = await onRunner((runner) =>
        Promise.all([
          tagsOf(runner.manager).add(tags.core),
          runner.query("SELECT 1/0").catch((error: Error) => error.message),
        ]),
      )

      expect(failed).toBe("division by zero")
      expect(await listed()).toEqual([tags.core])
    })

    it("of a role that may not change the owner is read without a lock", async () => {
      await capture()
      const role = `tagger_${process.pid}_${version}`
      await withClient(captured.database.url, async (client) => {
        await client.query(`CREATE ROLE ${role} LOGIN`)
        await client.query(`GRANT USAGE ON SCHEMA dcim, extras TO ${role}`)
        await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA dcim, extras TO ${role}`)
        await client.query(`GRANT INSERT, DELETE ON dcim.device_tag TO ${role}`)
      })
      const url = Object.assign(new URL(captured.database.url), { username: role }).href
      const restricted = await captured.database.dataSource({
        url,
        subscribers: [captured.changes.subscriber],
      })
      await tagsOf(restricted.manager).add(tags.core)
      await tagsOf(restricted.manager).add(tags.lab)
      await restricted.destroy()

      const added = (await captured.events()).map(({ differences }) => differences.added)
      await withClient(captured.database.url, async (client) => {
        await client.query(`DROP OWNED BY ${role}`)
        await client.query(`DROP ROLE ${role}`)
      })
      expect(added).toEqual([{ tags: [tags.core] }, { tags: [tags.core, tags.lab].sort() }])
    })
  })

  describe("a list that is longer than maxRowsPerStatement", () => {
    it("is not brought here, but reported", async () => {
      const manager = await capture({ maxRowsPerStatement: 5 })
      for (let index = 0; index < 5; index++)
        await tagsOf(manager).add((await manager.save(Tag, { name: `t${index}` })).id)
      await captured.events()
      await tagsOf(manager).add(tags.core)

      expect(await captured.events()).toEqual([])
      expect(captured.logged.join()).toContain("its lists have more than 5 keys")
    })
  })
})
