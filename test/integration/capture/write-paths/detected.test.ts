import { ActiveWidget } from "../../../../fixtures/hostile/active-widget"
import { Widget } from "../../../../fixtures/hostile/widget"
import { Device } from "../../../../fixtures/inventory/device"
import { Tag } from "../../../../fixtures/inventory/tag"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"

async function newTag({ manager, unique, begin }: WriteCase): Promise<Tag> {
  const tag = await manager.save(Tag, { name: unique("t") })
  await begin()
  return tag
}

describeWrites((itTells) => {
  describe("raw SQL", () => {
    itTells(
      "that inserts is noticed",
      { told: [], detected: { "extras.tag": 2 }, untold: ["create tag", "create tag"] },
      ({ manager, unique }) =>
        manager.query("INSERT INTO extras.tag (name) VALUES ($1), ($2)", [unique("a"), unique("b")]),
    )

    itTells(
      "that updates is noticed",
      { told: [], detected: { "extras.tag": 1 }, untold: ["update tag"] },
      async (run) => {
        const { id } = await newTag(run)
        await run.manager.query(`/* by hand */ update "extras" . "tag" set color = '123456' where id = $1`, [id])
      },
    )

    itTells(
      "that deletes through a query runner is noticed",
      { told: [], detected: { "extras.tag": 1 }, untold: ["delete tag"] },
      async (run) => {
        const { id } = await newTag(run)
        const runner = run.dataSource.createQueryRunner()
        await runner.query("DELETE FROM ONLY extras.tag WHERE id = $1", [id]).finally(() => runner.release())
      },
    )

    itTells(
      "that merges is noticed",
      { told: [], detected: { "extras.tag": 1 }, untold: ["create tag"] },
      ({ manager, unique }) =>
        manager.query(
          `MERGE INTO extras.tag t USING (SELECT '${unique("merged")}' AS name) n ON t.name = n.name
           WHEN NOT MATCHED THEN INSERT (name) VALUES (n.name)`,
        ),
    )

    itTells(
      "that writes within a SELECT is noticed",
      { told: [], detected: { unknown: 1 }, untold: ["update tag"] },
      async (run) => {
        const { id } = await newTag(run)
        await run.manager.query(
          "WITH w AS (UPDATE extras.tag SET color = '123456' WHERE id = $1 RETURNING 1) SELECT * FROM w",
          [id],
        )
      },
    )

    itTells("that reads is not noticed", [], ({ manager }) =>
      manager.query("SELECT 'INSERT INTO extras.tag', count(*) FROM extras.tag"),
    )

    itTells("that writes no row is not noticed", [], ({ manager }) =>
      manager.query("UPDATE extras.tag SET color = '123456' WHERE false"),
    )

    itTells("that writes to a table of nobody's is not noticed", [], async ({ manager }) => {
      await manager.query("CREATE TABLE IF NOT EXISTS public.others (id int)")
      await manager.query("INSERT INTO public.others VALUES (1)")
    })

    itTells(
      "that writes in one of several statements is noticed",
      { told: [], detected: { unknown: 1 }, untold: ["create tag"] },
      ({ manager, unique }) => manager.query(`SELECT 1; INSERT INTO extras.tag (name) VALUES ('${unique("several")}')`),
    )

    itTells(
      "that writes within a CTE is noticed, also when no row comes back",
      { told: [], detected: { unknown: 0 }, untold: ["update tag", "delete tag"] },
      async (run) => {
        const { id } = await newTag(run)
        const select = "SELECT 1 WHERE false"
        await run.manager.query(`WITH w AS (UPDATE extras.tag SET color = '654321' WHERE id = $1) ${select}`, [id])
        const insert = "INSERT INTO extras.tag (name) SELECT 'x' WHERE false"
        await run.manager.query(`WITH w AS (DELETE FROM extras.tag WHERE id = $1) ${insert}`, [id])
      },
    )
  })

  describe("a builder", () => {
    itTells(
      "that writes to an updatable view is noticed",
      { told: [], detected: { "hostile.active_widget": 1 }, untold: ["update widget"] },
      async ({ manager, unique, begin }) => {
        const widget = await manager.save(Widget, { name: unique("w") })
        await begin()
        await manager.update(ActiveWidget, { id: widget.id }, { name: unique("through the view") })
      },
    )

    itTells(
      "with a CTE that writes is told, and the CTE's write is noticed",
      { told: ["update device"], detected: { unknown: 0 }, untold: ["update tag"] },
      async (run) => {
        const tag = await newTag(run)
        const device = await run.manager.save(Device, { name: run.unique("rt") })
        await run.begin()
        const painted = run.manager
          .createQueryBuilder()
          .update(Tag)
          .set({ color: "123456" })
          .where("id = :tag", { tag: tag.id })
          .returning(["id"])
        await run.manager
          .createQueryBuilder()
          .addCommonTableExpression(painted, "painted")
          .update(Device)
          .set({ position: () => "(SELECT count(*) FROM painted)" })
          .where("id = :device", { device: device.id })
          .execute()
      },
    )
  })
})
