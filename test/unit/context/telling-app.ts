import express, { type Express, type RequestHandler } from "express"
import { setTimeout as pause } from "node:timers/promises"
import { currentChangeContext } from "../../../src/context/change-context"
import type { expressChangeContext } from "../../../src/context/express"
import { getContext, served, type ToldContext } from "./served"

/** Answers with the context that a statement would see. */
export const tell: RequestHandler = (_request, response) => {
  response.json(currentChangeContext() ?? null)
}

/** Signs in whom the header names, a while after the request came. */
export const authenticate: RequestHandler = async (request, _response, next) => {
  await pause(1)
  Object.assign(request, { user: { name: request.headers["x-user"] } })
  next()
}

export function appOf(...handlers: (RequestHandler | ReturnType<typeof expressChangeContext>)[]): Express {
  const app = express()
  for (const handler of handlers) app.use(handler)
  return app
}

/** What the application answers to one request. */
export async function told(app: Express, path: string, init: RequestInit = {}): Promise<ToldContext> {
  let context: ToldContext = {}
  await served(app, async (url) => {
    context = await getContext(url + path, init)
  })
  return context
}
