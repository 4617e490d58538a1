import { EntitySchema } from "typeorm"
import type { ChangeEventsOptions } from "../../../src"
import { createChangeLog } from "../../../src/outbox/change-log-schema"
import { installTriggers } from "../../../src/triggers/trigger-migration"
import { triggersOf } from "../../../src/triggers/triggered-tables"
import { createTestDatabase, describeOnEveryPostgres } from "../../servers/test-database"

describeOnEveryPostgres((version) => {
  it("refuses to be made for a generated column that is not stored, and leaves nothing behind", async () => {
    const virtual = new EntitySchema<object>({
      name: "virtual",
      columns: {
        id: { type: "int", primary: true },
        count: { type: "int", nullable: true },
        twice: { type: "int", nullable: true },
      },
    })
    const database = await createTestDatabase(version)
    try {
      const observer = await database.dataSource({ entities: [virtual] })
      for (const statement of createChangeLog()) await observer.query(statement)
      const kind = version < 18 ? "STORED" : "VIRTUAL"
      await observer.query(
        `CREATE TABLE virtual (id int, count int, twice int GENERATED ALWAYS AS (2 * count) ${kind})`,
      )
      const install = (options: ChangeEventsOptions): Promise<unknown> =>
        observer.query(installTriggers(triggersOf(observer, { capture: "triggers", ...options })))

      if (version < 18) await install({})
      else
        await expect(install({})).rejects.toThrow(
          "triggers cannot read twice of virtual, which is generated and not stored",
        )
      expect(await observer.query("SELECT FROM pg_trigger WHERE tgname ~ 'change_events'")).toHaveLength(
        version < 18 ? 4 : 0,
      )
      await install({ entities: [{ entity: virtual, ignore: ["twice"] }] })
      await observer.query("INSERT INTO virtual VALUES (1, 2)")
      expect(await observer.query("SELECT new_row FROM change_events.log")).toEqual([{ new_row: "(1,2)" }])
    } finally {
      await database.drop()
    }
  })
})
