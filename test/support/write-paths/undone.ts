import { Tag } from "../../../fixtures/inventory/tag"
import type { WritePath } from "./write-path"

const fails = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined)

export const undone: readonly WritePath[] = [
  {
    name: "a transaction that is rolled back",
    run: ({ manager, text }) =>
      fails(
        manager.transaction(async (inner) => {
          await inner.save(Tag, { name: text })
          await inner.query(`INSERT INTO extras.tag (name) VALUES ('${text} raw')`)
          throw new Error("no")
        }),
      ),
  },
  {
    name: "a savepoint that is rolled back",
    run: ({ manager, text }) =>
      manager.transaction(async (outer) => {
        await outer.save(Tag, { name: text })
        await fails(
          outer.transaction(async (inner) => {
            await inner.save(Tag, { name: `${text}.` })
            throw new Error("no")
          }),
        )
      }),
  },
]
