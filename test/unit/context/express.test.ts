import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express"
import { setTimeout as pause } from "node:timers/promises"
import { currentChangeContext, withChangeContext } from "../../../src/context/change-context"
import { expressChangeContext, type ExpressChangeContextOptions } from "../../../src/context/express"
import { isUuid } from "../../../src/runtime/uuid"
import { getContext, served, type ToldContext } from "./served"
import { appOf, authenticate, tell, told } from "./telling-app"

const requestId = "cccccccc-0000-4000-8000-000000000001"

describe("the context of a request", () => {
  it("is Web, with the method and the route's pattern, the client and its agent", async () => {
    const app = appOf(expressChangeContext()).patch("/devices/:id", tell)
    const context = await told(app, "/devices/7?token=s3cret", { method: "PATCH", headers: { "user-agent": "curl/8" } })

    expect(context).toEqual({
      userName: null,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      changeContext: "Web",
      changeContextDetail: "PATCH /devices/:id",
      clientAddress: "127.0.0.1",
      userAgent: "curl/8",
    })
  })

  it("names the pattern of a route in a mounted router", async () => {
    const router = express.Router().get("/:id/ports", tell)
    const app = appOf(expressChangeContext()).use("/api/v2/devices", router)

    expect(await told(app, "/api/v2/devices/7/ports")).toMatchObject({
      changeContextDetail: "GET /api/v2/devices/:id/ports",
    })
  })

  it("names no value of the path that a router is mounted on", async () => {
    const app = appOf(expressChangeContext()).use("/projects/:project/keys", express.Router().get("/", tell))

    expect(await told(app, "/projects/4711/keys")).toMatchObject({ changeContextDetail: "GET /projects/:value/keys" })
  })

  it("names the mount path while no route is reached, and the method alone outside any", async () => {
    const mounted = appOf(expressChangeContext()).use("/api", tell)

    expect(await told(mounted, "/api/reset/s3cret")).toMatchObject({ changeContextDetail: "GET /api" })
    expect(await told(appOf(expressChangeContext(), tell), "/reset/s3cret")).toMatchObject({
      changeContextDetail: "GET",
    })
  })

  it("follows the request from route to route", async () => {
    const seen: unknown[] = []
    const look: RequestHandler = (_request, _response, next) => {
      seen.push(currentChangeContext()?.changeContextDetail)
      next()
    }
    const app = appOf(expressChangeContext(), look).all("/devices/{*rest}", look).get("/devices/:id", look, tell)

    await told(app, "/devices/7")

    expect(seen).toEqual(["GET", "GET /devices/{*rest}", "GET /devices/:id"])
  })

  it("is one snapshot for all statements that see the same", async () => {
    const snapshots: unknown[] = []
    const app = appOf(expressChangeContext({ context: () => ({ tenant: 7 }) })).get("/", (request, response, next) => {
      snapshots.push(currentChangeContext(), currentChangeContext())
      tell(request, response, next)
    })

    await told(app, "/")

    expect(snapshots[0]).toBe(snapshots[1])
    expect(Object.isFrozen(snapshots[0])).toBe(true)
  })

  it("is still there when the handler fails", async () => {
    const report: ErrorRequestHandler = (error: Error, _request, response, _next) => {
      response.status(500).json({ ...currentChangeContext(), message: error.message })
    }
    const app = appOf(expressChangeContext()).get("/devices/:id", async () => {
      await pause(1)
      throw new Error("no such device")
    })

    expect(await told(app.use(report), "/devices/7")).toMatchObject({
      changeContextDetail: "GET /devices/:id",
      message: "no such device",
    })
  })

  it("is there after the body was read, by a parser or by hand, and when the response has gone", async () => {
    const seen: unknown[] = []
    const look = (): unknown => seen.push(currentChangeContext()?.changeContextDetail)
    const app = appOf(expressChangeContext())
    app.post("/raw", (request, response) => {
      request.on("data", look).on("end", () => response.on("finish", look).json(currentChangeContext()))
    })
    app.post("/json", express.json(), tell)
    const post = { method: "POST", body: '{"name":"sw1"}', headers: { "content-type": "application/json" } }

    expect(await told(app, "/raw", post)).toMatchObject({ changeContextDetail: "POST /raw" })
    expect(await told(app, "/json", post)).toMatchObject({ changeContextDetail: "POST /json" })
    expect(seen).toEqual(["POST /raw", "POST /raw"])
  })

  it("is not that in which the server was started", async () => {
    const app = appOf(expressChangeContext()).get("/", (request, response) => {
      request.on("end", () => response.json(currentChangeContext())).resume()
    })

    await withChangeContext({ userName: "the starter", requestId }, () =>
      served(app, async (url) => {
        const [first, second] = [await getContext(url), await getContext(url)]

        expect(first).toMatchObject({ userName: null, changeContext: "Web" })
        expect(first["requestId"]).not.toBe(requestId)
        expect(second["requestId"]).not.toBe(first["requestId"])
      }),
    )
  })

  it("stays one when a router uses the middleware again", async () => {
    const seen: unknown[] = []
    const look: RequestHandler = (_request, _response, next) => {
      seen.push(currentChangeContext()?.requestId)
      next()
    }
    const app = appOf(expressChangeContext(), look, expressChangeContext({ userName: () => "alice" }))
    const context = await told(app.get("/", tell), "/")

    expect(context).toMatchObject({ userName: "alice", requestId: seen[0] })
  })
})

describe("300 requests at once", () => {
  it("keep their contexts apart through interleaved awaits", async () => {
    const work: RequestHandler = async (request, response) => {
      const seen = [currentChangeContext()]
      for (let turn = 0; turn < 5; turn++) {
        await pause(Math.random() * 5)
        seen.push(...(await Promise.all([pause(1), pause(2)].map((it) => it.then(() => currentChangeContext())))))
      }
      const distinct = new Set(seen.map((context) => JSON.stringify(context)))
      response.json({ ...currentChangeContext(), distinct: distinct.size, name: request.params["name"] })
    }
    const app = appOf(expressChangeContext({ userName: (request) => request.user?.name }), authenticate, express.json())
    app.post("/users/:name", work)

    await served(app, async (url) => {
      const ask = (index: number): Promise<ToldContext> => {
        const headers = { "x-user": `user-${index}`, "content-type": "application/json" }
        return getContext(`${url}/users/user-${index}`, { method: "POST", body: `{"index":${index}}`, headers })
      }
      const contexts = await Promise.all(Array.from({ length: 300 }, (_, index) => ask(index)))

      expect(contexts.map((context) => context["userName"])).toEqual(contexts.map((_, index) => `user-${index}`))
      expect(contexts.every((context) => context["name"] === context["userName"] && context["distinct"] === 1)).toBe(
        true,
      )
      expect(new Set(contexts.map((context) => context["requestId"])).size).toBe(300)
    })
  })
})

describe("the request id", () => {
  const app = (options: ExpressChangeContextOptions): Express => appOf(expressChangeContext(options), tell)
  const headers = { "x-request-id": requestId }

  it("is the header's when that is a UUID", async () => {
    expect(await told(app({}), "/", { headers })).toMatchObject({ requestId })
  })

  it.each(["42", "", `${requestId}, ${requestId}`, `${requestId}'; DROP TABLE`])(
    "is new instead of %p",
    async (given) => {
      const context = await told(app({}), "/", { headers: { "x-request-id": given } })

      expect(isUuid(context["requestId"])).toBe(true)
      expect(context["requestId"]).not.toBe(requestId)
    },
  )

  it("is new where clients are not trusted", async () => {
    const context = await told(app({ trustRequestId: false }), "/", { headers })

    expect(context["requestId"]).not.toBe(requestId)
  })

  it("may come by another header", async () => {
    const context = await told(app({ requestIdHeader: "X-Correlation-Id" }), "/", {
      headers: { "x-correlation-id": requestId },
    })

    expect(context).toMatchObject({ requestId })
  })
})
