import { DeferredUnique } from "../../../fixtures/hostile/deferred-unique"
import { Tag } from "../../../fixtures/inventory/tag"
import { describeTransactions } from "../../support/describe-transactions"

describeTransactions((suite) => {
  it("tells the changes of a committed transaction in the order of its statements", async () => {
    await suite.dataSource.transaction(async (manager) => {
      await suite.save(manager, "a")
      await suite.save(manager, "b")
      await manager.update(Tag, { name: "a" }, { color: "000000" })
    })

    expect(await suite.told()).toEqual(["a", "b", "a"])
  })

  it("tells nothing before the commit", async () => {
    await suite.dataSource.transaction(async (manager) => {
      await suite.save(manager, "early")
      expect(await suite.captured.events()).toEqual([])
    })

    expect(await suite.told()).toEqual(["early"])
  })

  it("tells nothing of a transaction that was rolled back", async () => {
    const work = suite.dataSource.transaction(async (manager) => {
      await suite.save(manager, "phantom")
      throw new Error("no")
    })

    await expect(work).rejects.toThrow("no")
    expect(await suite.told()).toEqual([])
  })

  it("tells what stands after a nested transaction was rolled back", async () => {
    await suite.dataSource.transaction(async (manager) => {
      await suite.save(manager, "before")
      const nested = manager.transaction(async (inner) => {
        await suite.save(inner, "inner")
        throw new Error("inner")
      })
      await nested.catch(() => undefined)
      await suite.save(manager, "after")
    })

    expect(await suite.told()).toEqual(["before", "after"])
  })

  it("tells a nested transaction's changes once, when the outermost commits", async () => {
    await suite.dataSource.transaction(async (manager) => {
      await manager.transaction((inner) => suite.save(inner, "nested"))
      expect(await suite.captured.events()).toEqual([])
    })

    expect(await suite.told()).toEqual(["nested"])
  })

  it("tells nothing when the outermost transaction rolls back after a nested one was released", async () => {
    const work = suite.dataSource.transaction(async (manager) => {
      await manager.transaction((inner) => suite.save(inner, "lost-nested"))
      throw new Error("outer")
    })

    await expect(work).rejects.toThrow("outer")
    expect(await suite.told()).toEqual([])
  })

  it("tells a good save of the same row after its first save was rolled back to a savepoint", async () => {
    await suite.save(suite.dataSource.manager, "row")
    await suite.dataSource.transaction(async (manager) => {
      const nested = manager.transaction(async (inner) => {
        await inner.update(Tag, { name: "row" }, { color: "111111" })
        throw new Error("inner")
      })
      await nested.catch(() => undefined)
      await manager.update(Tag, { name: "row" }, { color: "222222" })
    })

    expect(await suite.told()).toEqual(["row", "row"])
  })

  it("tells nothing when the server answers COMMIT with ROLLBACK", async () => {
    await suite.dataSource.transaction(async (manager) => {
      await suite.save(manager, "aborted")
      await manager.query("SELECT 1/0").catch(() => undefined)
    })

    expect(await suite.told()).toEqual([])
  })

  it("tells nothing when a deferred constraint fails at COMMIT", async () => {
    const work = suite.dataSource.transaction(async (manager) => {
      await manager.insert(DeferredUnique, { rank: 1 })
      await manager.insert(DeferredUnique, { rank: 1 })
    })

    await expect(work).rejects.toThrow()
    expect(await suite.told()).toEqual([])
  })

  it("tells each retried serializable transaction once", async () => {
    await suite.save(suite.dataSource.manager, "counter")
    const attempt = async (color: string): Promise<void> => {
      await suite.dataSource.transaction("SERIALIZABLE", async (manager) => {
        await manager.findOneByOrFail(Tag, { name: "counter" })
        await manager.update(Tag, { name: "counter" }, { color })
      })
    }
    const untilCommitted = async (color: string): Promise<void> => attempt(color).catch(() => untilCommitted(color))
    await Promise.all(Array.from({ length: 8 }, (_, index) => untilCommitted(`00000${index}`)))

    expect(await suite.told()).toHaveLength(9)
  })

  it("tells exactly what was committed by 200 parallel transactions of which half are rolled back", async () => {
    const work = Array.from({ length: 200 }, async (_, index) => {
      const run = suite.dataSource.transaction(async (manager) => {
        await suite.save(manager, `p${index}-a`)
        await suite.save(manager, `p${index}-b`)
        if (index % 2 === 1) throw new Error("odd")
      })
      await run.catch(() => undefined)
    })
    await Promise.all(work)

    const names = (await suite.captured.events()).map((event) => String(event.postchange?.["name"]))
    const committed = (await suite.truth.changesSince()).map((change) => String(change.after?.["name"]))
    expect([...names].sort()).toEqual([...committed].sort())
    const pairs = names.map((name, index) => [name, names[index + 1]]).filter((_, index) => index % 2 === 0)
    expect(pairs.every(([first, second]) => first?.replace("-a", "-b") === second)).toBe(true)
  })
})
