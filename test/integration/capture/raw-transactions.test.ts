import { Tag } from "../../../fixtures/inventory/tag"
import { describeTransactions } from "../../support/describe-transactions"

describeTransactions((suite) => {
  it("follows a raw BEGIN and COMMIT", async () => {
    await suite.onRunner(async (runner) => {
      await runner.query("BEGIN")
      await suite.save(runner.manager, "raw")
      expect(await suite.captured.events()).toEqual([])
      await runner.query("COMMIT")
    })

    expect(await suite.told()).toEqual(["raw"])
  })

  it("follows a raw ROLLBACK and statements after it", async () => {
    await suite.onRunner(async (runner) => {
      await runner.query("begin transaction isolation level serializable")
      await suite.save(runner.manager, "gone")
      await runner.query("  rollback  work ;")
      await suite.save(runner.manager, "stays")
    })

    expect(await suite.told()).toEqual(["stays"])
  })

  it("follows raw savepoints, also with quoted names", async () => {
    await suite.onRunner(async (runner) => {
      await runner.query("BEGIN")
      await suite.save(runner.manager, "one")
      await runner.query('SAVEPOINT "My Point"')
      await suite.save(runner.manager, "two")
      await runner.query("SAVEPOINT second")
      await suite.save(runner.manager, "three")
      await runner.query('ROLLBACK TO SAVEPOINT "My Point"')
      await suite.save(runner.manager, "four")
      await runner.query('RELEASE SAVEPOINT "My Point"')
      await runner.query("END")
    })

    expect(await suite.told()).toEqual(["one", "four"])
  })

  it("rolls back to the newest of two savepoints of one name", async () => {
    await suite.onRunner(async (runner) => {
      await runner.query("BEGIN; SAVEPOINT s")
      await suite.save(runner.manager, "kept")
      await runner.query("SAVEPOINT S")
      await suite.save(runner.manager, "dropped")
      await runner.query("ROLLBACK WORK TO s")
      await runner.query("COMMIT")
    })

    expect(await suite.told()).toEqual(["kept"])
  })

  it("takes the COMMIT of a suite.save() for the end of a raw transaction", async () => {
    await suite.onRunner(async (runner) => {
      await runner.query("BEGIN")
      await suite.save(runner.manager, "first")
      await runner.manager.save(Tag, { name: "second" })
      await runner.query("ROLLBACK")
    })

    expect(await suite.told()).toEqual(["first", "second"])
  })

  it("tells nothing of what a raw ROLLBACK inside transaction() undid", async () => {
    await suite.dataSource.transaction(async (manager) => {
      await suite.save(manager, "undone")
      await manager.query("ROLLBACK")
    })

    expect(await suite.told()).toEqual([])
  })

  it("tells at once what is written after a raw COMMIT inside transaction()", async () => {
    const seen: number[] = []
    await suite.dataSource.transaction(async (manager) => {
      await suite.save(manager, "in")
      await manager.query("COMMIT")
      await suite.save(manager, "out")
      await suite.captured.changes.flush()
      seen.push(suite.captured.changes.status().brokers["memory"]?.queued ?? -1)
    })

    expect(seen).toEqual([0])
    expect(await suite.told()).toEqual(["in", "out"])
  })

  it("follows several statements in one text", async () => {
    await suite.onRunner(async (runner) => {
      await runner.query("BEGIN")
      await suite.save(runner.manager, "several")
      await runner.query("SAVEPOINT a; SELECT 'COMMIT; ROLLBACK'; ROLLBACK TO a; COMMIT; BEGIN")
      await suite.save(runner.manager, "undone")
      await runner.query("/* ; */ ROLLBACK; -- COMMIT\n SELECT 1")
    })

    expect(await suite.told()).toEqual(["several"])
  })

  it("goes on in the next transaction after COMMIT AND CHAIN", async () => {
    await suite.onRunner(async (runner) => {
      await runner.query("BEGIN")
      await suite.save(runner.manager, "chained")
      await runner.query("COMMIT AND CHAIN")
      await suite.save(runner.manager, "rolled back")
      await runner.query("ROLLBACK AND CHAIN")
      await suite.save(runner.manager, "last")
      await runner.query("COMMIT")
    })

    expect(await suite.told()).toEqual(["chained", "last"])
  })

  it("tells nothing, but reports it, of a transaction that was prepared for two-phase commit", async () => {
    await suite.onRunner(async (runner) => {
      await runner.query("BEGIN")
      await suite.save(runner.manager, "prepared")
      await runner.query("PREPARE TRANSACTION 'later'").catch(() => runner.query("ROLLBACK"))
    })

    expect(await suite.captured.events()).toEqual([])
  })
})
