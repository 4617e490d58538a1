import { Column, Entity, PrimaryColumn, Tree, TreeChildren, TreeParent, type EntityManager } from "typeorm"
import { ClosureNode } from "../../../fixtures/hostile/closure-node"
import { Sensitive, type ChangeEventsOptions } from "../../../src"
import { describeOnEveryPostgres } from "../../servers/test-database"
import { captureDatabase, type CapturedDatabase } from "../../support/captured-database"

@Entity({ schema: "hostile" })
@Tree("closure-table", {
  closureTableName: "line",
  ancestorColumnName: () => "above",
  descendantColumnName: () => "below",
})
class Agent {
  @Sensitive("hash")
  @PrimaryColumn({ type: "text" })
  codename!: string

  @Column({ type: "text", nullable: true })
  rank!: string | null

  @Sensitive("hash")
  @TreeParent()
  parent!: Agent | null

  @TreeChildren()
  children!: Agent[]
}

const createTables = `
CREATE TABLE hostile.agent (codename text PRIMARY KEY, rank text, "parentCodename" text REFERENCES hostile.agent);
CREATE TABLE hostile.line_closure (
  above text REFERENCES hostile.agent ON DELETE CASCADE, below text REFERENCES hostile.agent ON DELETE CASCADE, PRIMARY KEY (above, below)
)`

describeOnEveryPostgres((version) => {
  let captured: CapturedDatabase

  async function capture(given: Omit<ChangeEventsOptions, "brokers" | "logger"> = {}): Promise<EntityManager> {
    const changes = { ...given, sensitiveHashKey: "a key of more than sixteen characters" }
    captured = await captureDatabase(version, { changes, dataSource: { entities: [ClosureNode, Agent] } })
    await captured.dataSource.query(createTables)
    return captured.dataSource.manager
  }
  afterEach(() => captured.close())

  async function makeTree(manager: EntityManager): Promise<void> {
    const root = await manager.save(manager.create(ClosureNode, { name: "root" }))
    const child = await manager.save(manager.create(ClosureNode, { name: "child", parent: root }))
    await manager.remove(child)
  }

  describe("the option `closures`", () => {
    it("\"events\", the default, tells a closure table's rows in their tree's app", async () => {
      const manager = await capture({ entities: [{ entity: ClosureNode, app: "forest" }], topicPrefix: "svc" })
      await makeTree(manager)

      const events = await captured.events()
      expect(new Set(events.map(({ topic }) => topic))).toEqual(
        new Set([
          "svc.create.forest.closurenode",
          "svc.create.forest.closure_node_closure",
          "svc.delete.forest.closurenode",
          "svc.delete.forest.closure_node_closure",
        ]),
      )
      expect(events.find(({ model }) => model === "closure_node_closure")).toMatchObject({
        key: "forest.closure_node_closure:1,1",
        prechange: null,
        postchange: { id_ancestor: 1, id_descendant: 1 },
      })
    })

    it.each([
      { name: "of all", changes: { closures: "off" }, nodes: ["create", "create", "delete"] },
      {
        name: "of one tree",
        changes: { entities: [{ entity: ClosureNode, closures: "off" }] },
        nodes: ["create", "create", "delete"],
      },
      { name: "of a tree that is not captured", changes: { entities: [Agent] }, nodes: [] },
    ] as const)('"off" tells nothing of them, and reports nothing, $name', async ({ changes, nodes }) => {
      const manager = await capture(changes)
      await makeTree(manager)

      expect((await captured.events()).map(({ action, model }) => `${action} ${model}`)).toEqual(
        nodes.map((action) => `${action} closurenode`),
      )
      expect(captured.changes.status().uncaptured).toEqual({ statements: 0, rows: 0 })
    })
  })

  it("hides a node's sensitive key in its closure rows, under the names that the tree gives their columns", async () => {
    const manager = await capture()
    const root = await manager.save(manager.create(Agent, { codename: "secret-1" }))
    const child = await manager.save(manager.create(Agent, { codename: "secret-2", parent: root }))
    await manager.remove(child)

    const messages = await captured.messages()
    const rows = messages.filter(({ topic }) => topic.endsWith(".line_closure"))
    expect(rows.map(({ topic }) => topic.split(".")[0])).toEqual(["create", "create", "create", "delete", "delete"])
    expect(JSON.parse(rows[0]?.body as string)).toMatchObject({
      postchange: { above: expect.stringMatching(/^[0-9a-f]{64}$/) as string, below: expect.any(String) as string },
    })
    expect(JSON.stringify(messages)).not.toContain("secret-")
  })

  it("is reported when its texts are not TypeORM's own", async () => {
    const manager = await capture()
    const { id } = await manager.save(manager.create(ClosureNode, { name: "root" }))
    await captured.events()
    await manager.query(`DELETE FROM hostile.closure_node_closure WHERE id_ancestor = ${id}`)

    expect(await captured.events()).toEqual([])
    expect(captured.changes.status().uncaptured).toEqual({ statements: 1, rows: 1 })
  })
})
