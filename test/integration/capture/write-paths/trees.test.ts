import type { EntityTarget } from "typeorm"
import { ClosureNode } from "../../../../fixtures/hostile/closure-node"
import { NestedNode } from "../../../../fixtures/hostile/nested-node"
import { PathNode } from "../../../../fixtures/hostile/path-node"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"

const model = "closure_node_closure"
const insertClosure = `create ${model}`
const deleteClosure = `delete ${model}`

/** A root, its child and its grandchild. */
async function newTree<Node extends { id: number; name: string }>(
  { manager, unique, begin }: WriteCase,
  target: EntityTarget<Node>,
): Promise<readonly [Node, Node, Node]> {
  const save = (name: string, parent: Node | null): Promise<Node> =>
    manager.save(manager.create(target, { name: unique(name), parent } as never))
  const root = await save("root", null)
  const child = await save("child", root)
  const leaf = await save("leaf", child)
  await begin()
  return [root, child, leaf]
}

describeWrites((itTells) => {
  describe("a tree kept as a materialized path", () => {
    itTells(
      "tells its nodes once, though TypeORM writes their hidden path after them",
      ["create pathnode", "create pathnode"],
      async ({ manager, unique }) => {
        const root = await manager.save(PathNode, { name: unique("root") })
        await manager.save(manager.create(PathNode, { name: unique("child"), parent: root }))
      },
    )

    itTells(
      "tells a node that moves, and nothing of those below it, of which only the hidden path changes",
      ["update pathnode"],
      async (run) => {
        const [, child] = await newTree(run, PathNode)
        const [other] = await newTree(run, PathNode)
        child.parent = other
        await run.manager.save(child)
      },
    )

    itTells("tells a node that is removed", ["delete pathnode"], async (run) => {
      const [, , leaf] = await newTree(run, PathNode)
      await run.manager.remove(leaf)
    })
  })

  describe("a tree kept as a closure table", () => {
    itTells(
      "tells its nodes, and a closure row for each of a node's ancestors and for itself",
      ["create closurenode", insertClosure, "create closurenode", insertClosure, insertClosure],
      async ({ manager, unique }) => {
        const root = await manager.save(ClosureNode, { name: unique("root") })
        await manager.save(manager.create(ClosureNode, { name: unique("child"), parent: root }))
      },
    )

    itTells(
      "tells children that are saved with their root",
      ["create closurenode", insertClosure, "create closurenode", insertClosure, insertClosure],
      async ({ manager, unique }) => {
        const child = manager.create(ClosureNode, { name: unique("child") })
        await manager.save(manager.create(ClosureNode, { name: unique("root"), children: [child] }))
      },
    )

    itTells(
      "tells a node that moves, and the closure rows of all that move with it",
      [deleteClosure, deleteClosure, insertClosure, insertClosure, "update closurenode"],
      async (run) => {
        const [, child] = await newTree(run, ClosureNode)
        const [other] = await newTree(run, ClosureNode)
        child.parent = other
        await run.manager.save(child)
      },
    )

    itTells(
      "tells a node that is removed, and the closure rows that the database removes with it",
      ["delete closurenode", deleteClosure, deleteClosure, deleteClosure],
      async (run) => {
        const [, , leaf] = await newTree(run, ClosureNode)
        await run.manager.remove(leaf)
      },
    )
  })

  describe("a tree kept as a nested set", () => {
    itTells(
      "tells a new node, and nothing of the others, of which only hidden columns change",
      ["create nestednode"],
      async ({ manager, unique, begin }) => {
        await manager.deleteAll(NestedNode)
        const root = await manager.save(manager.create(NestedNode, { name: unique("root") }))
        const child = await manager.save(manager.create(NestedNode, { name: unique("child"), parent: root }))
        await begin()
        await manager.save(manager.create(NestedNode, { name: unique("leaf"), parent: child }))
      },
    )

    itTells("tells a node that is renamed", ["update nestednode"], async ({ manager, unique, begin }) => {
      await manager.deleteAll(NestedNode)
      const root = await manager.save(manager.create(NestedNode, { name: unique("root") }))
      await begin()
      root.name = unique("renamed")
      await manager.save(root)
    })

    itTells(
      "tells a node that is removed, and nothing of the others",
      ["delete nestednode"],
      async ({ manager, unique, begin }) => {
        await manager.deleteAll(NestedNode)
        const root = await manager.save(manager.create(NestedNode, { name: unique("root") }))
        const child = await manager.save(manager.create(NestedNode, { name: unique("child"), parent: root }))
        await begin()
        await manager.remove(child)
      },
    )

    itTells(
      "tells nodes that move, to the right and to the left, and nothing of the others",
      ["update nestednode", "update nestednode"],
      async ({ manager, unique, begin }) => {
        await manager.deleteAll(NestedNode)
        const save = (name: string, parent: NestedNode | null): Promise<NestedNode> =>
          manager.save(manager.create(NestedNode, { name: unique(name), parent: parent as NestedNode }))
        const root = await save("root", null)
        const [left, right] = [await save("left", root), await save("right", root)]
        const leaf = await save("leaf", left)
        await begin()
        await manager.save(manager.create(NestedNode, { ...leaf, parent: right }))
        await manager.save(manager.create(NestedNode, { ...leaf, parent: left }))
      },
    )

    itTells(
      "notices a shift of somebody else's",
      { told: [], detected: { "hostile.nested_node": 1 } },
      async ({ manager, unique, begin }) => {
        await manager.deleteAll(NestedNode)
        await manager.save(manager.create(NestedNode, { name: unique("root"), parent: null as never }))
        await begin()
        await manager.query(`UPDATE "hostile"."nested_node" SET "nsleft" = "nsleft" + 2`)
      },
    )
  })
})
