import type { DataSource, EntityManager, QueryRunner } from "typeorm"
import { Device } from "../../../../fixtures/inventory/device"
import { Tag } from "../../../../fixtures/inventory/tag"
import { describeTwins } from "../../../support/describe-twins"

const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no error",
    (error: { code?: string; driverError?: { code?: string } }) => error.driverError?.code ?? error.code ?? error,
  )

async function onOneConnection(dataSource: DataSource, work: (runner: QueryRunner) => Promise<unknown>) {
  const runner = dataSource.createQueryRunner()
  try {
    return await work(runner)
  } finally {
    await outcome(runner.query("ROLLBACK"))
    await runner.release()
  }
}

const insert = (manager: EntityManager, name: string) => outcome(manager.insert(Tag, { name }))

describeTwins((itDoesTheSame) => {
  itDoesTheSame("the COMMIT of a transaction that has failed", ({ dataSource, unique }) =>
    onOneConnection(dataSource, async (runner) => {
      await runner.startTransaction()
      const steps = [await insert(runner.manager, unique("a")), await outcome(runner.query("SELECT 1/0"))]
      steps.push(await outcome(runner.commitTransaction()), runner.isTransactionActive)
      return [...steps, await outcome(runner.query("SELECT 1"))]
    }),
  )

  itDoesTheSame("a transaction() that swallows a failure", ({ manager, unique }) =>
    outcome(
      manager.transaction(async (inner) => {
        await insert(inner, unique("twice"))
        await insert(inner, unique("twice"))
      }),
    ),
  )

  itDoesTheSame("a failure of serialization that shows at the COMMIT", async ({ dataSource, unique }) => {
    const [one, two] = [dataSource.createQueryRunner(), dataSource.createQueryRunner()]
    for (const runner of [one, two]) {
      await runner.startTransaction("SERIALIZABLE")
      await runner.query("SELECT count(*) FROM extras.tag")
    }
    const steps = [await insert(one.manager, unique("one")), await insert(two.manager, unique("two"))]
    await one.commitTransaction()
    steps.push(await outcome(two.commitTransaction()))
    await outcome(two.rollbackTransaction())
    for (const runner of [one, two]) await runner.release()
    return steps
  })

  itDoesTheSame("a text that begins a transaction and fails in it", ({ dataSource, unique }) =>
    onOneConnection(dataSource, async (runner) => [
      await outcome(runner.query("BEGIN; SELECT 1/0")),
      await insert(runner.manager, unique("a")),
      await insert(runner.manager, unique("b")),
    ]),
  )

  itDoesTheSame("a text that fails before the COMMIT in it", ({ dataSource, unique }) =>
    onOneConnection(dataSource, async (runner) => {
      await runner.query("BEGIN")
      const steps = [await insert(runner.manager, unique("a")), await outcome(runner.query("SELECT 1/0; COMMIT"))]
      return [...steps, await insert(runner.manager, unique("b")), await insert(runner.manager, unique("c"))]
    }),
  )

  for (const text of ["DISCARD ALL", "DEALLOCATE ALL"])
    itDoesTheSame(`${text} between transactions`, ({ dataSource, unique }) =>
      onOneConnection(dataSource, async (runner) => {
        const steps: unknown[] = []
        for (const name of ["a", "b", "c", "d"]) steps.push(await inTransaction(runner, unique(name)))
        await runner.query(text)
        for (const name of ["e", "f"]) steps.push(await inTransaction(runner, unique(name)))
        await runner.query("BEGIN")
        steps.push(await insert(runner.manager, unique("g")), await outcome(runner.query("COMMIT")))
        return steps
      }),
    )

  itDoesTheSame("a value that cannot be sent, in a statement that has come before", ({ dataSource }) =>
    onOneConnection(dataSource, async (runner) => {
      const circular: Record<string, unknown> = {}
      circular["self"] = circular
      const set = (position: unknown) =>
        outcome(runner.manager.update(Device, { name: "no such" }, { position: position as number }))
      const steps: unknown[] = []
      for (let number = 0; number < 5; number++) steps.push(await set(number))
      await runner.startTransaction()
      const failure = String(await set(circular))
      await runner.rollbackTransaction()
      await runner.startTransaction()
      return [...steps, failure.split("\n")[0], await set(7), await outcome(runner.commitTransaction())]
    }),
  )

  itDoesTheSame("a literal of 17 MB in a text of several statements", ({ dataSource, unique, run }) =>
    onOneConnection(dataSource, async (runner) => {
      await runner.query("BEGIN")
      const length = run === 0 ? 17_000_000 : 17
      const long = await outcome(runner.query(`SELECT length('${"x".repeat(length)}'); SELECT 1`))
      return [long, await insert(runner.manager, unique("a")), await outcome(runner.query("COMMIT"))]
    }),
  )
})

function inTransaction(runner: QueryRunner, name: string): Promise<unknown> {
  return outcome(runner.manager.transaction((manager) => manager.insert(Tag, { name })))
}
