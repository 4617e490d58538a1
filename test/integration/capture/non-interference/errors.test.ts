import { datasetKeys } from "../../../../fixtures/dataset"
import { DeferredUnique } from "../../../../fixtures/hostile/deferred-unique"
import { Device } from "../../../../fixtures/inventory/device"
import { IPAddress } from "../../../../fixtures/inventory/ip-address"
import { Tag } from "../../../../fixtures/inventory/tag"
import { User } from "../../../../fixtures/inventory/user"
import { describeTwins, type Twin } from "../../../support/describe-twins"

const update = ({ manager }: Twin) => manager.createQueryBuilder().update(Device).set({ position: 1 })

describeTwins((itDoesTheSame) => {
  describe("with and without capture, the same error comes of", () => {
    itDoesTheSame("a unique violation by save()", ({ manager }) => manager.save(Tag, { name: "core" }))
    itDoesTheSame("a unique violation by insert()", ({ manager }) => manager.insert(Tag, { name: "core" }))
    itDoesTheSame("a unique violation by update()", ({ manager }) => manager.updateAll(Tag, { name: "core" }))
    itDoesTheSame("a unique violation by upsert()", ({ manager }) =>
      manager.upsert(Tag, { id: datasetKeys.tags.lab, name: "core" }, ["id"]),
    )
    itDoesTheSame("a NULL where none may be, on insert", ({ manager }) => manager.insert(Tag, { name: null as never }))
    itDoesTheSame("a NULL where none may be, on update", ({ manager }) =>
      manager.update(Device, 1, { name: null as never }),
    )
    itDoesTheSame("a foreign key to nowhere", ({ manager }) => manager.update(Device, 1, { site: { id: -1 } }))
    itDoesTheSame("a row that others point to", ({ manager }) => manager.delete(User, { username: "alice" }))

    itDoesTheSame("a violated check", async ({ manager, run }) => {
      if (run === 0) await manager.query("ALTER TABLE dcim.device ADD CONSTRAINT low CHECK (position < 100)")
      return manager.update(Device, { name: "rt1" }, { position: 200 })
    })

    itDoesTheSame("a value of the wrong type", ({ manager }) =>
      manager.update(Device, 1, { position: "high" as never }),
    )
    itDoesTheSame("a value out of range", ({ manager }) => manager.insert(Device, { name: "x", position: 99_999 }))
    itDoesTheSame("a text that is too long", ({ manager }) => manager.insert(Tag, { name: "x", color: "too long" }))
    itDoesTheSame("a syntax error in a condition", (twin) => update(twin).where("id = = 1").execute())
    itDoesTheSame("a syntax error in an expression", ({ manager }) =>
      manager.update(Device, 1, { name: () => "upper(" }),
    )
    itDoesTheSame("a column that is not there", (twin) => update(twin).where("nowhere = 1").execute())
    itDoesTheSame("a column of RETURNING that is not there", (twin) =>
      update(twin).where("id = 1").returning("nowhere").execute(),
    )
    itDoesTheSame("an alias that an update does not have", (twin) => update(twin).where("Device.id = 1").execute())
    itDoesTheSame("a division by zero", (twin) => update(twin).where("1 / (id - id) = 1").execute())

    itDoesTheSame("a table that is not there", ({ manager }) =>
      manager.createQueryBuilder().update("nowhere").set({ a: 1 }).where("id = 1").execute(),
    )

    itDoesTheSame("a table that is gone", ({ manager }) =>
      manager.transaction(async (inner) => {
        await inner.query("DROP TABLE hostile.deferred_unique")
        await inner.insert(DeferredUnique, { rank: 1 })
      }),
    )

    itDoesTheSame("a property that is not there", ({ manager }) => manager.update(Device, 1, { nowhere: 1 } as never))
    itDoesTheSame("criteria with a property that is not there", ({ manager }) => manager.delete(Device, { nowhere: 1 }))
    itDoesTheSame("empty criteria of update()", ({ manager }) => manager.update(Device, {}, { position: 1 }))
    itDoesTheSame("empty criteria of delete()", ({ manager }) => manager.delete(Device, []))
    itDoesTheSame("undefined criteria", ({ manager }) => manager.update(Device, { id: undefined }, { position: 1 }))
    itDoesTheSame("an update of nothing", ({ manager }) => manager.update(Device, 1, {}))
    itDoesTheSame("a LIMIT on an update", (twin) => update(twin).limit(1).execute())
    itDoesTheSame("an ORDER BY on an update", (twin) => update(twin).orderBy("id").execute())
    itDoesTheSame("a missing parameter", (twin) => update(twin).where("id = :id").execute())
    itDoesTheSame("a conflict target without a constraint", ({ manager }) =>
      manager.upsert(Tag, { name: "x" }, ["color"]),
    )
    itDoesTheSame("a soft-delete of what has no delete date", ({ manager }) =>
      manager.softDelete(Tag, { name: "core" }),
    )
    itDoesTheSame("a save() of what is no entity", ({ manager }) => manager.save({ name: "x" }))
    itDoesTheSame("a bad address", ({ manager }) => manager.insert(IPAddress, { address: "300.1.2.3" }))

    itDoesTheSame("an update of an aborted transaction", ({ manager }) =>
      manager.transaction(async (inner) => {
        await inner.query("SELECT 1 / 0").catch(() => undefined)
        await inner.update(Device, 1, { position: 1 })
      }),
    )

    itDoesTheSame("a statement timeout", ({ manager }) =>
      manager.transaction(async (inner) => {
        await inner.query("SET LOCAL statement_timeout = 20")
        await inner.update(Device, { name: "rt1" }, { comments: () => "pg_sleep(5)::text" })
      }),
    )

    itDoesTheSame("a read-only transaction", ({ manager }) =>
      manager.transaction(async (inner) => {
        await inner.query("SET TRANSACTION READ ONLY")
        await inner.insert(Tag, { name: "x" })
      }),
    )

    itDoesTheSame("a deferred constraint at COMMIT", ({ manager }) =>
      manager.transaction(async (inner) => {
        await inner.insert(DeferredUnique, { rank: 1 })
        await inner.insert(DeferredUnique, { rank: 1 })
      }),
    )

    itDoesTheSame("a lock that is not waited for", ({ manager, dataSource }) =>
      manager.transaction(async (inner) => {
        await inner.update(Device, 1, { position: 1 })
        await dataSource.transaction(async (other) => {
          await other.query("SET LOCAL lock_timeout = 20")
          await other.update(Device, 1, { position: 2 })
        })
      }),
    )

    itDoesTheSame("a released query runner", async ({ dataSource }) => {
      const runner = dataSource.createQueryRunner()
      await runner.release()
      await runner.manager.update(Device, 1, { position: 1 })
    })

    itDoesTheSame("an error within a nested transaction that the application catches", ({ manager, unique }) =>
      manager.transaction(async (inner) => {
        const nested = inner.transaction((deeper) => deeper.insert(Tag, { name: "core" }))
        const caught = await nested.catch((error: Error) => error.message)
        return [caught, await inner.insert(Tag, { name: unique("after") })]
      }),
    )
  })
})
