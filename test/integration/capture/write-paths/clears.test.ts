import { Book } from "../../../../fixtures/hostile/book"
import { ClosureNode } from "../../../../fixtures/hostile/closure-node"
import { DeferredUnique } from "../../../../fixtures/hostile/deferred-unique"
import { Rota } from "../../../../fixtures/hostile/rota"
import { Shelf } from "../../../../fixtures/hostile/shelf"
import { Shift } from "../../../../fixtures/hostile/shift"
import { WithoutSchema } from "../../../../fixtures/hostile/without-schema"
import { describeWrites } from "../../../support/describe-writes"

describeWrites((itTells) => {
  describe("clear()", () => {
    itTells(
      "tells the deletion of each row",
      ["delete deferredunique", "delete deferredunique"],
      async ({ manager, uniqueNumber, begin }) => {
        await manager.insert(DeferredUnique, [{ rank: uniqueNumber() }, { rank: -uniqueNumber() }])
        await begin()
        await manager.clear(DeferredUnique)
      },
    )

    itTells("tells nothing of a table that is empty", [], async ({ manager, begin }) => {
      await manager.clear(WithoutSchema)
      await begin()
      await manager.clear(WithoutSchema)
    })

    itTells("tells rows of a table without a schema", ["delete withoutschema"], async ({ manager, begin }) => {
      await manager.insert(WithoutSchema, { value: "a" })
      await begin()
      await manager.getRepository(WithoutSchema).clear()
    })

    itTells(
      "tells what its transaction wrote before and after it",
      ["create withoutschema", "delete withoutschema", "create withoutschema"],
      async ({ dataSource, manager: outside, begin }) => {
        await outside.clear(WithoutSchema)
        await begin()
        await dataSource.transaction(async (manager) => {
          await manager.insert(WithoutSchema, { value: "a" })
          await manager.clear(WithoutSchema)
          await manager.insert(WithoutSchema, { value: "b" })
        })
      },
    )

    itTells("tells nothing when its savepoint is rolled back", ["create withoutschema"], ({ dataSource }) =>
      dataSource.transaction(async (manager) => {
        await manager.insert(WithoutSchema, { value: "a" })
        await manager
          .transaction(async (inner) => {
            await inner.clear(WithoutSchema)
            throw new Error("no")
          })
          .catch(() => undefined)
      }),
    )

    itTells(
      "tells nothing when it fails, because others point to its table",
      [],
      async ({ manager, unique, begin }) => {
        await manager.insert(Shelf, { code: unique("s") })
        await begin()
        await expect(manager.clear(Shelf)).rejects.toThrow(
          "cannot truncate a table referenced in a foreign key constraint",
        )
      },
    )

    itTells(
      "tells the rows of the tables that it takes along",
      ["delete shelf", "delete book", "delete book"],
      async ({ manager, unique, begin }) => {
        await manager.clear(Shelf, { cascade: true })
        const shelf = await manager.save(Shelf, { code: unique("s") })
        await manager.insert(Book, [
          { title: "a", shelf },
          { title: "b", shelf },
        ])
        await begin()
        await manager.clear(Shelf, { cascade: true })
      },
    )

    itTells(
      "tells the rows of a tree, and of the closure table that it takes along",
      [
        "delete closurenode",
        "delete closurenode",
        "delete closure_node_closure",
        "delete closure_node_closure",
        "delete closure_node_closure",
      ],
      async ({ manager, unique, begin }) => {
        await manager.clear(ClosureNode, { cascade: true })
        const parent = await manager.save(manager.create(ClosureNode, { name: unique("root") }))
        await manager.save(manager.create(ClosureNode, { name: unique("child"), parent }))
        await begin()
        await manager.clear(ClosureNode, { cascade: true })
      },
    )

    itTells(
      "tells an owner's many-to-many list with its deletion",
      ["delete shift"],
      async ({ manager, unique, begin }) => {
        await manager.clear(Shift, { cascade: true })
        const rota = await manager.save(Rota, { name: unique("r") })
        await manager.save(Shift, { place: unique("p").slice(-10), number: "1", rotas: [rota] })
        await begin()
        await manager.clear(Shift, { cascade: true })
      },
    )

    itTells(
      "tells an update of an owner whose many-to-many list it empties",
      ["delete rota", "update shift"],
      async ({ manager, unique, begin }) => {
        await manager.clear(Rota, { cascade: true })
        const rota = await manager.save(Rota, { name: unique("r") })
        await manager.save(Shift, { place: unique("p").slice(-10), number: "1", rotas: [rota] })
        await begin()
        await manager.clear(Rota, { cascade: true })
      },
    )
  })
})
