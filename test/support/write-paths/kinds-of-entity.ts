import { In } from "typeorm"
import { ClosureNode } from "../../../fixtures/hostile/closure-node"
import { NestedNode } from "../../../fixtures/hostile/nested-node"
import { PathNode } from "../../../fixtures/hostile/path-node"
import { Shipment } from "../../../fixtures/hostile/shipment"
import { TidiedName } from "../../../fixtures/hostile/tidied-name"
import { Project } from "../../../fixtures/identity/project"
import { RoleAssignment } from "../../../fixtures/identity/role-assignment"
import { datasetKeys } from "../../../fixtures/dataset"
import { Job } from "../../../fixtures/inventory/job"
import { ScheduledJob } from "../../../fixtures/inventory/scheduled-job"
import type { Work, WritePath } from "./write-path"

const tree = (target: typeof PathNode | typeof ClosureNode | typeof NestedNode): Work => {
  return async ({ manager, text }) => {
    const save = (name: string, parent: object | null): Promise<object> =>
      manager.save(target, manager.create(target, { name, parent } as never) as object)
    const root = await save(`${text} root`, null)
    const other = target === NestedNode ? root : await save(`${text} other`, null)
    const child = await save(`${text} child`, root)
    if (target !== NestedNode) await manager.save(Object.assign(child, { parent: other }))
    await manager.remove(child)
  }
}

export const kinds: readonly WritePath[] = [
  { name: "tree, materialized path", run: tree(PathNode) },
  {
    name: "tree, closure table: the rows of the closure",
    run: tree(ClosureNode),
  },
  {
    // The shifted columns are in no image.
    name: "tree, nested set",
    run: async (run) => {
      await run.manager.deleteAll(NestedNode)
      await run.begin()
      await tree(NestedNode)(run)
    },
  },
  {
    name: "single-table inheritance",
    run: async ({ manager, text }) => {
      await manager.insert(ScheduledJob, { name: text })
      await manager.insert(Job, { name: `${text}.` })
      await manager.update(Job, { name: In([text, `${text}.`]) }, { enabled: false })
      await manager.delete(Job, { name: text })
    },
  },
  {
    name: "embedded columns",
    run: async ({ manager, text }) => {
      await manager.insert(Shipment, { from: { street: text } as never, to: {} as never })
      await manager.deleteAll(Shipment)
    },
  },
  {
    name: "composite key",
    run: async ({ manager, text, begin }) => {
      const { users, roles } = datasetKeys
      const { id } = await manager.save(Project, { name: text })
      await begin()
      await manager.insert(RoleAssignment, { userId: users.carol, projectId: id, roleId: roles.reader })
      await manager.update(RoleAssignment, { projectId: id }, { inherited: true })
      await manager.delete(RoleAssignment, { projectId: id })
    },
  },
  {
    name: "columns that a trigger of the database changes",
    run: async ({ manager, text }) => {
      const { id } = await manager.save(TidiedName, { name: `  ${text.toUpperCase()} ` })
      await manager.update(TidiedName, id, { name: ` ${text}.  ` })
    },
  },
]
