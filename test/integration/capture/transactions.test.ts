import type { DataSource, EntityManager, EntitySubscriberInterface, QueryRunner } from "typeorm"
import { EventSubscriber } from "typeorm"
import { DeferredUnique } from "../../../fixtures/hostile/deferred-unique"
import { fixtureEntities } from "../../../fixtures/fixture-entities"
import { Tag } from "../../../fixtures/inventory/tag"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { expectedChanges, toldChange } from "../../support/expected-changes"
import { installGroundTruth, type GroundTruth } from "../../support/ground-truth"
import { withClient } from "../../support/with-client"
import { describeOnEveryPostgres } from "../../servers/test-database"

let failing: { hook?: "afterTransactionCommit" | "afterInsert" | "afterQuery" } = {}

/** Another subscriber of the application's, which throws where a test says so. */
@EventSubscriber()
class Troublemaker implements EntitySubscriberInterface {
  afterTransactionCommit(): void {
    this.fail("afterTransactionCommit")
  }

  afterInsert(): void {
    this.fail("afterInsert")
  }

  private fail(hook: "afterTransactionCommit" | "afterInsert"): void {
    if (failing.hook === hook) throw new Error(`${hook} of another subscriber`)
  }
}

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  let truth: GroundTruth
  let dataSource: DataSource

  beforeAll(async () => {
    captured = await captureDatabase(version, { dataSource: { entities: [...fixtureEntities, DeferredUnique] } })
    dataSource = captured.dataSource
    dataSource.subscribers.push(new Troublemaker())
    truth = await installGroundTruth(captured.database.url)
  })
  afterAll(() => captured.close())
  beforeEach(async () => {
    failing = {}
    await truth.reset()
    await captured.events()
  })

  const save = (manager: EntityManager, name: string): Promise<unknown> => manager.insert(Tag, { name })

  /** The events, once they are proved to be what was committed, in its order. */
  async function told(): Promise<string[]> {
    const events = await captured.events()
    const expected = await expectedChanges(dataSource, await truth.changesSince())
    expect(events.map(toldChange)).toEqual(expected)
    return events.map((event) => String(event.postchange?.["name"] ?? event.prechange?.["name"]))
  }

  async function onRunner(work: (runner: QueryRunner) => Promise<void>): Promise<void> {
    const runner = dataSource.createQueryRunner()
    try {
      await work(runner)
    } finally {
      await runner.release()
    }
  }

  it("tells the changes of a committed transaction in the order of its statements", async () => {
    await dataSource.transaction(async (manager) => {
      await save(manager, "a")
      await save(manager, "b")
      await manager.update(Tag, { name: "a" }, { color: "000000" })
    })

    expect(await told()).toEqual(["a", "b", "a"])
  })

  it("tells nothing before the commit", async () => {
    await dataSource.transaction(async (manager) => {
      await save(manager, "early")
      expect(await captured.events()).toEqual([])
    })

    expect(await told()).toEqual(["early"])
  })

  it("tells nothing of a transaction that was rolled back", async () => {
    const work = dataSource.transaction(async (manager) => {
      await save(manager, "phantom")
      throw new Error("no")
    })

    await expect(work).rejects.toThrow("no")
    expect(await told()).toEqual([])
  })

  it("tells what stands after a nested transaction was rolled back", async () => {
    await dataSource.transaction(async (manager) => {
      await save(manager, "before")
      const nested = manager.transaction(async (inner) => {
        await save(inner, "inner")
        throw new Error("inner")
      })
      await nested.catch(() => undefined)
      await save(manager, "after")
    })

    expect(await told()).toEqual(["before", "after"])
  })

  it("tells a nested transaction's changes once, when the outermost commits", async () => {
    await dataSource.transaction(async (manager) => {
      await manager.transaction((inner) => save(inner, "nested"))
      expect(await captured.events()).toEqual([])
    })

    expect(await told()).toEqual(["nested"])
  })

  it("tells nothing when the outermost transaction rolls back after a nested one was released", async () => {
    const work = dataSource.transaction(async (manager) => {
      await manager.transaction((inner) => save(inner, "lost-nested"))
      throw new Error("outer")
    })

    await expect(work).rejects.toThrow("outer")
    expect(await told()).toEqual([])
  })

  it("tells a good save of the same row after its first save was rolled back to a savepoint", async () => {
    await save(dataSource.manager, "row")
    await dataSource.transaction(async (manager) => {
      const nested = manager.transaction(async (inner) => {
        await inner.update(Tag, { name: "row" }, { color: "111111" })
        throw new Error("inner")
      })
      await nested.catch(() => undefined)
      await manager.update(Tag, { name: "row" }, { color: "222222" })
    })

    expect(await told()).toEqual(["row", "row"])
  })

  it("tells nothing when the server answers COMMIT with ROLLBACK", async () => {
    await dataSource.transaction(async (manager) => {
      await save(manager, "aborted")
      await manager.query("SELECT 1/0").catch(() => undefined)
    })

    expect(await told()).toEqual([])
  })

  it("tells nothing when a deferred constraint fails at COMMIT", async () => {
    const work = dataSource.transaction(async (manager) => {
      await manager.insert(DeferredUnique, { rank: 1 })
      await manager.insert(DeferredUnique, { rank: 1 })
    })

    await expect(work).rejects.toThrow()
    expect(await told()).toEqual([])
  })

  it("follows a raw BEGIN and COMMIT", async () => {
    await onRunner(async (runner) => {
      await runner.query("BEGIN")
      await save(runner.manager, "raw")
      expect(await captured.events()).toEqual([])
      await runner.query("COMMIT")
    })

    expect(await told()).toEqual(["raw"])
  })

  it("follows a raw ROLLBACK and statements after it", async () => {
    await onRunner(async (runner) => {
      await runner.query("begin transaction isolation level serializable")
      await save(runner.manager, "gone")
      await runner.query("  rollback  work ;")
      await save(runner.manager, "stays")
    })

    expect(await told()).toEqual(["stays"])
  })

  it("follows raw savepoints, also with quoted names", async () => {
    await onRunner(async (runner) => {
      await runner.query("BEGIN")
      await save(runner.manager, "one")
      await runner.query('SAVEPOINT "My Point"')
      await save(runner.manager, "two")
      await runner.query("SAVEPOINT second")
      await save(runner.manager, "three")
      await runner.query('ROLLBACK TO SAVEPOINT "My Point"')
      await save(runner.manager, "four")
      await runner.query('RELEASE SAVEPOINT "My Point"')
      await runner.query("END")
    })

    expect(await told()).toEqual(["one", "four"])
  })

  it("rolls back to the newest of two savepoints of one name", async () => {
    await onRunner(async (runner) => {
      await runner.query("BEGIN; SAVEPOINT s")
      await save(runner.manager, "kept")
      await runner.query("SAVEPOINT S")
      await save(runner.manager, "dropped")
      await runner.query("ROLLBACK WORK TO s")
      await runner.query("COMMIT")
    })

    expect(await told()).toEqual(["kept"])
  })

  it("takes the COMMIT of a save() for the end of a raw transaction", async () => {
    await onRunner(async (runner) => {
      await runner.query("BEGIN")
      await save(runner.manager, "first")
      await runner.manager.save(Tag, { name: "second" })
      await runner.query("ROLLBACK")
    })

    expect(await told()).toEqual(["first", "second"])
  })

  it("tells nothing of what a raw ROLLBACK inside transaction() undid", async () => {
    await dataSource.transaction(async (manager) => {
      await save(manager, "undone")
      await manager.query("ROLLBACK")
    })

    expect(await told()).toEqual([])
  })

  it("tells at once what is written after a raw COMMIT inside transaction()", async () => {
    const seen: number[] = []
    await dataSource.transaction(async (manager) => {
      await save(manager, "in")
      await manager.query("COMMIT")
      await save(manager, "out")
      await captured.changes.flush()
      seen.push(captured.changes.status().brokers["memory"]?.queued ?? -1)
    })

    expect(seen).toEqual([0])
    expect(await told()).toEqual(["in", "out"])
  })

  it("follows several statements in one text", async () => {
    await onRunner(async (runner) => {
      await runner.query("BEGIN")
      await save(runner.manager, "several")
      await runner.query("SAVEPOINT a; SELECT 'COMMIT; ROLLBACK'; ROLLBACK TO a; COMMIT; BEGIN")
      await save(runner.manager, "undone")
      await runner.query("/* ; */ ROLLBACK; -- COMMIT\n SELECT 1")
    })

    expect(await told()).toEqual(["several"])
  })

  it("goes on in the next transaction after COMMIT AND CHAIN", async () => {
    await onRunner(async (runner) => {
      await runner.query("BEGIN")
      await save(runner.manager, "chained")
      await runner.query("COMMIT AND CHAIN")
      await save(runner.manager, "rolled back")
      await runner.query("ROLLBACK AND CHAIN")
      await save(runner.manager, "last")
      await runner.query("COMMIT")
    })

    expect(await told()).toEqual(["chained", "last"])
  })

  it("tells what was committed although another subscriber throws after the commit", async () => {
    failing.hook = "afterTransactionCommit"
    await expect(dataSource.transaction((manager) => save(manager, "committed"))).rejects.toThrow("another subscriber")

    expect(await told()).toEqual(["committed"])
  })

  it("tells nothing of a save() that another subscriber's hook rolled back", async () => {
    failing.hook = "afterInsert"
    await expect(dataSource.manager.save(Tag, { name: "hooked" })).rejects.toThrow("another subscriber")

    expect(await told()).toEqual([])
  })

  it("tells an insert() that is committed although another subscriber's hook throws", async () => {
    failing.hook = "afterInsert"
    await expect(save(dataSource.manager, "hooked")).rejects.toThrow("another subscriber")

    expect(await told()).toEqual(["hooked"])
  })

  it("leaves the events of a released runner's open transaction to whoever ends it", async () => {
    const single = await captured.database.dataSource({ poolSize: 1, subscribers: [captured.changes.subscriber] })
    const leaking = single.createQueryRunner()
    await leaking.startTransaction()
    await save(leaking.manager, "leaked")
    await leaking.release()
    await save(single.manager, "inside the leak")
    expect(await captured.events()).toEqual([])

    await single.query("COMMIT")

    expect(await told()).toEqual(["leaked", "inside the leak"])
    await single.destroy()
  })

  it("tells what a disposed runner commits", async () => {
    const runner = dataSource.createQueryRunner()
    await runner.startTransaction()
    await save(runner.manager, "disposed")
    await runner[Symbol.asyncDispose]()

    expect(await told()).toEqual(["disposed"])
  })

  it("tells nothing of a transaction whose server process was killed", async () => {
    const work = dataSource.transaction(async (manager) => {
      await save(manager, "killed")
      const [{ pid }] = await manager.query("SELECT pg_backend_pid() AS pid")
      await withClient(captured.database.url, (client) => client.query("SELECT pg_terminate_backend($1)", [pid]))
      await save(manager, "too late")
    })

    await expect(work).rejects.toThrow()
    expect(await told()).toEqual([])
  })

  it("tells nothing of a transaction that destroy() cut off", async () => {
    const doomed = await captured.database.dataSource({ subscribers: [captured.changes.subscriber] })
    const runner = doomed.createQueryRunner()
    await runner.startTransaction()
    await save(runner.manager, "cut off")
    await doomed.destroy()

    expect(await told()).toEqual([])
  })

  it("tells nothing, but reports it, of a transaction that was prepared for two-phase commit", async () => {
    await onRunner(async (runner) => {
      await runner.query("BEGIN")
      await save(runner.manager, "prepared")
      await runner.query("PREPARE TRANSACTION 'later'").catch(() => runner.query("ROLLBACK"))
    })

    expect(await captured.events()).toEqual([])
  })

  it("tells each retried serializable transaction once", async () => {
    await save(dataSource.manager, "counter")
    const attempt = async (color: string): Promise<void> => {
      await dataSource.transaction("SERIALIZABLE", async (manager) => {
        await manager.findOneByOrFail(Tag, { name: "counter" })
        await manager.update(Tag, { name: "counter" }, { color })
      })
    }
    const untilCommitted = async (color: string): Promise<void> => attempt(color).catch(() => untilCommitted(color))
    await Promise.all(Array.from({ length: 8 }, (_, index) => untilCommitted(`00000${index}`)))

    expect(await told()).toHaveLength(9)
  })

  it("tells exactly what was committed by 200 parallel transactions of which half are rolled back", async () => {
    const work = Array.from({ length: 200 }, async (_, index) => {
      const run = dataSource.transaction(async (manager) => {
        await save(manager, `p${index}-a`)
        await save(manager, `p${index}-b`)
        if (index % 2 === 1) throw new Error("odd")
      })
      await run.catch(() => undefined)
    })
    await Promise.all(work)

    const names = (await captured.events()).map((event) => String(event.postchange?.["name"]))
    const committed = (await truth.changesSince()).map((change) => String(change.after?.["name"]))
    expect([...names].sort()).toEqual([...committed].sort())
    const pairs = names.map((name, index) => [name, names[index + 1]]).filter((_, index) => index % 2 === 0)
    expect(pairs.every(([first, second]) => first?.replace("-a", "-b") === second)).toBe(true)
  })
})
