import { Router, type Request, type Response } from "express"
import type { DataSource, EntityManager, EntityTarget } from "typeorm"
import { Group } from "../../fixtures/identity/group"
import { Project } from "../../fixtures/identity/project"
import { Role } from "../../fixtures/identity/role"
import { RoleAssignment } from "../../fixtures/identity/role-assignment"
import { Trust } from "../../fixtures/identity/trust"
import { User } from "../../fixtures/inventory/user"

interface Keyed {
  id: string
}

interface Assigned {
  readonly projectId: string
  readonly userId: string
  readonly roleId: string
}

/** Keystone's resources, with its paths. Plain TypeORM: nothing here knows of events. */
export function identityRoutes(dataSource: DataSource): Router {
  const router = Router()
  router.use("/users", resource(dataSource, User, { beforeDelete: ({ id: userId }) => ({ userId }) }))
  router.use("/groups", resource(dataSource, Group))
  router.use("/roles", resource(dataSource, Role, { beforeDelete: ({ id: roleId }) => ({ roleId }) }))
  router.use("/projects", resource(dataSource, Project, { beforeDelete: ({ id: projectId }) => ({ projectId }) }))
  router.use("/trusts", resource(dataSource, Trust))
  router.use(assignmentRoutes(dataSource))
  router.use(membershipRoutes(dataSource))
  return router
}

interface ResourceOptions {
  /** The role assignments that go first. Left to ON DELETE CASCADE the database would delete them without a word. */
  readonly beforeDelete?: (row: Keyed) => Partial<Assigned>
}

function resource(dataSource: DataSource, target: EntityTarget<Keyed>, { beforeDelete }: ResourceOptions = {}): Router {
  const router = Router()
  const repository = dataSource.getRepository(target)

  router.post("/", async (request, response) => {
    response.status(201).json(await repository.save(repository.create(request.body as object)))
  })

  router.patch("/:id", async (request, response) => {
    const row = await repository.findOneByOrFail(keyOf(request))
    response.json(await repository.save(Object.assign(row, request.body)))
  })

  router.delete("/:id", async (request, response) => {
    await dataSource.transaction(async (manager) => {
      const row = await manager.findOneByOrFail(target, keyOf(request))
      if (beforeDelete) await manager.delete(RoleAssignment, beforeDelete(row))
      await remove(manager, target, row)
    })
    response.sendStatus(204)
  })

  return router
}

/** What has a deletion date stays in its table. */
async function remove(manager: EntityManager, target: EntityTarget<Keyed>, row: Keyed): Promise<void> {
  if (manager.dataSource.getMetadata(target).deleteDateColumn) await manager.softRemove(row)
  else await manager.remove(row)
}

function assignmentRoutes(dataSource: DataSource): Router {
  const router = Router()
  const path = "/projects/:projectId/users/:userId/roles/:roleId"

  router.put(path, async (request: Request<Assigned & Record<string, string>>, response: Response) => {
    const { projectId, userId, roleId } = request.params
    await dataSource.manager.save(RoleAssignment, { projectId, userId, roleId })
    response.sendStatus(204)
  })

  router.delete(path, async (request: Request<Assigned & Record<string, string>>, response: Response) => {
    const { projectId, userId, roleId } = request.params
    const { affected } = await dataSource.manager.delete(RoleAssignment, { projectId, userId, roleId })
    response.sendStatus(affected === 0 ? 404 : 204)
  })

  return router
}

function membershipRoutes(dataSource: DataSource): Router {
  const router = Router()

  router.put("/groups/:id/users/:userId", async (request, response) => {
    const { id, userId } = request.params
    await dataSource.createQueryBuilder().relation(Group, "members").of(id).add(userId)
    response.sendStatus(204)
  })

  return router
}

function keyOf(request: Request): Keyed {
  return { id: String(request.params["id"]) }
}
