import { once } from "node:events"
import type { AddressInfo } from "node:net"
import express, { type NextFunction, type Request, type Response } from "express"
import { QueryFailedError, type DataSource } from "typeorm"
import { expressChangeContext } from "../../src/context/express"
import { inventoryRoutes } from "./routes"

export interface InventoryServer {
  readonly url: string
  close(): Promise<void>
}

/** The API on a free port of this machine. Only the first line of its making knows of change events. */
export async function startInventory(dataSource: DataSource): Promise<InventoryServer> {
  const app = express()
  app.use(expressChangeContext<SignedInRequest>({ userName: (request) => request.user?.name }))
  app.use(signIn)
  app.use(express.json())
  app.use(inventoryRoutes(dataSource))
  app.use(answerError)

  const server = app.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, "close")
    },
  }
}

interface SignedInRequest extends Request {
  user?: { readonly name: string }
}

/** Stands for your authentication: whoever the header names is signed in. */
function signIn(request: SignedInRequest, _response: Response, next: NextFunction): void {
  const name = request.get("x-user")
  if (name) request.user = { name }
  next()
}

/** Express knows an error handler by its four parameters. */
function answerError(error: Error, _request: Request, response: Response, _next: NextFunction): void {
  response.status(statusOf(error)).json({ error: error.message })
}

/** What the database refuses is the client's fault here: an unknown status, a serial number that is taken. */
function statusOf(error: Error): number {
  if (error instanceof QueryFailedError) return 400
  return "status" in error && typeof error.status === "number" ? error.status : 500
}
