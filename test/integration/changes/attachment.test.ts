import { DataSource } from "typeorm"
import { fixtureOptions } from "../../../fixtures/fixture-options"
import { Tag } from "../../../fixtures/inventory/tag"
import { changeEvents, type Logger } from "../../../src"
import { memoryBroker } from "../../../src/testing"
import { createTestDatabase, type TestDatabase } from "../../servers/test-database"

describe("a DataSource", () => {
  let database: TestDatabase
  let logged: string[]
  const logger: Logger = { warn: (line) => void logged.push(line), error: (line) => void logged.push(line) }

  beforeAll(async () => {
    database = await createTestDatabase(18)
  })
  afterAll(() => database.drop())
  beforeEach(() => {
    logged = []
  })

  function start() {
    const broker = memoryBroker()
    const changes = changeEvents({ brokers: { broker }, logger })
    const told = async (): Promise<unknown[]> => {
      await changes.flush()
      return broker.messages.map((message) => JSON.parse(message.body).postchange?.name)
    }
    return { changes, told }
  }

  it("is captured again after destroy() and initialize()", async () => {
    const { changes, told } = start()
    const dataSource = await database.dataSource({ subscribers: [changes.subscriber] })
    await dataSource.manager.insert(Tag, { name: "one" })
    await dataSource.destroy()
    await dataSource.initialize()
    await dataSource.manager.insert(Tag, { name: "two" })

    expect(await told()).toEqual(["one", "two"])
  })

  it("is captured once however often it is attached, before and after its initialisation", async () => {
    const { changes, told } = start()
    const dataSource = new DataSource({ ...fixtureOptions, url: database.url })
    changes.attach(dataSource)
    changes.attach(dataSource)
    await dataSource.initialize()
    changes.attach(dataSource)
    await dataSource.manager.insert(Tag, { name: "attached" })
    await dataSource.destroy()
    await dataSource.initialize()
    await dataSource.manager.insert(Tag, { name: "attached again" })
    await dataSource.destroy()

    expect(await told()).toEqual(["attached", "attached again"])
  })

  it("is captured from when it is attached, when it is initialised already", async () => {
    const { changes, told } = start()
    const dataSource = await database.dataSource()
    await dataSource.manager.insert(Tag, { name: "too early" })
    changes.attach(dataSource)
    await dataSource.manager.insert(Tag, { name: "in time" })

    expect(await told()).toEqual(["in time"])
  })

  it("belongs to one changeEvents() only", async () => {
    const [first, second] = [start(), start()]
    const dataSource = await database.dataSource({ subscribers: [first.changes.subscriber] })

    expect(() => second.changes.attach(dataSource)).toThrow(expect.objectContaining({ code: "DATA_SOURCE_TAKEN" }))

    const both = await database.dataSource({ subscribers: [first.changes.subscriber, second.changes.subscriber] })
    await both.manager.insert(Tag, { name: "contested" })
    expect(logged.join()).toContain("DATA_SOURCE_TAKEN")
  })

  it("is attached although another subscriber of the application's has an owner, too", async () => {
    const { changes, told } = start()
    const dataSource = await database.dataSource()
    dataSource.subscribers.push({ owner: "somebody" } as never)
    changes.attach(dataSource)
    await dataSource.manager.insert(Tag, { name: "beside a stranger" })

    expect(await told()).toEqual(["beside a stranger"])
  })

  it("is left alone when it has no subscriber, in a process where others have", async () => {
    const { told } = start()
    const bare = await database.dataSource()
    await bare.manager.insert(Tag, { name: "bare" })

    expect(await told()).toEqual([])
    expect(bare.createQueryBuilder().update(Tag).constructor.name).toBe("UpdateQueryBuilder")
  })

  it("must be Postgres, and of the same copy of TypeORM", () => {
    const { changes } = start()
    const other = Object.assign(Object.create(DataSource.prototype) as DataSource, {
      options: { type: "mysql" },
      subscribers: [],
    })

    expect(() => changes.attach(other)).toThrow(expect.objectContaining({ code: "DATA_SOURCE_UNSUPPORTED" }))
    expect(() => changes.attach({ options: { type: "postgres" } } as DataSource)).toThrow(
      expect.objectContaining({ code: "TYPEORM_UNSUPPORTED" }),
    )
  })

  it("reports an entity of the options that it does not have", async () => {
    const changes = changeEvents({ entities: ["Tag", "Nobody"], logger })
    const dataSource = await database.dataSource({ subscribers: [changes.subscriber] })
    await dataSource.manager.insert(Tag, { name: "listed" })

    expect(logged.join()).toContain("the option `entities` names Nobody, which is no entity of this DataSource")
  })
})
