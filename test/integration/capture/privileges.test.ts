import { Tag } from "../../../fixtures/inventory/tag"
import { User } from "../../../fixtures/inventory/user"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"
import { withClient } from "../../support/with-client"

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase
  const role = `writer_${process.pid}_${version}`

  beforeAll(async () => {
    captured = await captureDatabase(version)
    await withClient(captured.database.url, async (client) => {
      await client.query(`CREATE ROLE ${role} LOGIN`)
      await client.query(`GRANT USAGE ON SCHEMA users, extras TO ${role}`)
      await client.query(`GRANT ALL ON extras.tag TO ${role}`)
      await client.query(`GRANT INSERT, UPDATE, DELETE ON users."user" TO ${role}`)
      await client.query(`GRANT SELECT (id, username, "isActive", "dateJoined") ON users."user" TO ${role}`)
    })
  })
  afterAll(async () => {
    await withClient(captured.database.url, async (client) => {
      await client.query(`DROP OWNED BY ${role}`)
      await client.query(`DROP ROLE ${role}`)
    })
    await captured.close()
  })

  it("leaves an entity uncaptured, and its writes working, when the role may not read one of its columns", async () => {
    const url = Object.assign(new URL(captured.database.url), { username: role }).href
    const restricted = await captured.database.dataSource({ url, subscribers: [captured.changes.subscriber] })

    await restricted.getRepository(User).update({ username: "alice" }, { isActive: false })
    await restricted.getRepository(User).insert({ username: "bob", isActive: true })
    const { affected } = await restricted.getRepository(User).update({ username: "bob" }, { isActive: false })
    await restricted.getRepository(Tag).insert({ name: "readable" })

    expect(affected).toBe(1)
    expect((await captured.events()).map((event) => event.topic)).toEqual(["create.extras.tag"])
    expect(captured.logged.filter((line) => line.includes("ENTITY_UNCAPTURED"))).toHaveLength(1)
    expect(captured.logged.join()).toContain("User is not captured: the role may not read")
    expect(captured.changes.status().uncaptured).toEqual({ statements: 2, rows: 2 })
  })

  it("asks once a DataSource, before its first write", async () => {
    const questions: string[] = []
    const logger = {
      logQuery: (query: string) => void questions.push(query),
      logQueryError: () => undefined,
      logQuerySlow: () => undefined,
      logSchemaBuild: () => undefined,
      logMigration: () => undefined,
      log: () => undefined,
    }
    const dataSource = await captured.database.dataSource({
      poolSize: 1,
      logger,
      subscribers: [captured.changes.subscriber],
    })
    await Promise.all(
      ["a", "b", "c"].map((name) => dataSource.getRepository(Tag).insert({ name: `${name}-${version}` })),
    )
    await dataSource.transaction((manager) => manager.insert(Tag, { name: `d-${version}` }))

    expect(questions.filter((query) => /INSERT/.test(query))).toHaveLength(4)
    expect((await captured.events()).filter((event) => event.action === "create")).toHaveLength(4)
  })
})
