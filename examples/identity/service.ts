import { once } from "node:events"
import type { AddressInfo } from "node:net"
import express, { type NextFunction, type Request, type Response } from "express"
import { DataSource, EntityNotFoundError, QueryFailedError } from "typeorm"
import { fixtureOptions } from "../../fixtures/fixture-options"
import { Project } from "../../fixtures/identity/project"
import { Trust } from "../../fixtures/identity/trust"
import { changeEvents, ChangeEventsError, type ChangeEvents } from "../../src"
import { redisBroker } from "../../src/brokers/redis"
import { expressChangeContext } from "../../src/context/express"
import { keystone } from "../../src/formats/keystone"
import { identityRoutes } from "./routes"

export interface IdentityService {
  readonly url: string
  readonly changes: ChangeEvents
  readonly dataSource: DataSource
  close(): Promise<void>
}

export interface IdentityServiceOptions {
  /** Of a database with the fixture domain's tables. */
  readonly databaseUrl: string
  readonly redisUrl: string
}

/** A service like Keystone on a free port of this machine: its notifications go to Redis, in Keystone's own form. */
export async function startIdentityService({
  databaseUrl,
  redisUrl,
}: IdentityServiceOptions): Promise<IdentityService> {
  const changes = changeEvents({
    brokers: {
      notifications: {
        use: redisBroker({ url: redisUrl }),
        format: keystone({ service: "identity", host: "identity-1", actors: { group: { members: "user" } } }),
      },
    },
    entities: [
      "User",
      "Group",
      "Role",
      "RoleAssignment",
      { entity: Trust, immutable: true },
      { entity: Project, transitions: { enabled: { false: { operation: "disabled", internal: true } } } },
    ],
  })
  const dataSource = new DataSource({ ...fixtureOptions, url: databaseUrl, subscribers: [changes.subscriber] })
  await dataSource.initialize()
  const server = await listen(dataSource)
  return {
    url: server.url,
    changes,
    dataSource,
    close: async () => {
      await server.close()
      await changes.close()
      await dataSource.destroy()
    },
  }
}

async function listen(dataSource: DataSource) {
  const app = express()
  app.use(expressChangeContext({ userName: (request) => request.headers["x-user"]?.toString() }))
  app.use(express.json())
  app.use(identityRoutes(dataSource))
  app.use(answerError)
  const server = app.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, "close")
    },
  }
}

/** Express knows an error handler by its four parameters. */
function answerError(error: Error, _request: Request, response: Response, _next: NextFunction): void {
  response.status(statusOf(error)).json({ error: error.message })
}

/** A conflict is what the database refuses, and a change of a trust, which is refused before. */
function statusOf(error: Error): number {
  if (error instanceof EntityNotFoundError) return 404
  const isImmutable = error instanceof ChangeEventsError && error.code === "IMMUTABLE_ENTITY"
  return isImmutable || error instanceof QueryFailedError ? 409 : 500
}
