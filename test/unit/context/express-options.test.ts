import type { Request, RequestHandler } from "express"
import { amendChangeContext, currentChangeContext } from "../../../src/context/change-context"
import { expressChangeContext, type ExpressChangeContextOptions } from "../../../src/context/express"
import { ChangeEventsError } from "../../../src/errors"
import { appOf, authenticate, tell, told } from "./telling-app"

interface Reports {
  readonly lines: string[]
  readonly logger: { warn(line: string): void; error(line: string): void }
}

function collectReports(): Reports {
  const lines: string[] = []
  return { lines, logger: { warn: (line) => lines.push(line), error: (line) => lines.push(line) } }
}

describe("the user's name", () => {
  const named = { headers: { "x-user": "alice" } }

  it("is asked for when a statement runs, however late the user is known", async () => {
    const app = appOf(expressChangeContext({ userName: (request) => request.user?.name }), authenticate, tell)

    expect(await told(app, "/", named)).toMatchObject({ userName: "alice" })
  })

  it("stays after a logout", async () => {
    const logOut: RequestHandler = (request, _response, next) => {
      currentChangeContext()
      Object.assign(request, { user: null })
      next()
    }
    const app = appOf(expressChangeContext({ userName: (request) => request.user?.name }), authenticate, logOut, tell)

    expect(await told(app, "/", named)).toMatchObject({ userName: "alice" })
  })

  it("may be amended, and then holds", async () => {
    const amend: RequestHandler = (_request, _response, next) => {
      amendChangeContext({ userName: "bob" })
      next()
    }
    const app = appOf(expressChangeContext({ userName: (request) => request.user?.name }), amend, authenticate, tell)

    expect(await told(app, "/", named)).toMatchObject({ userName: "bob" })
  })

  it("is taken from the type of request that the application has", async () => {
    const options = { userName: (request: Request) => request.get("x-user") }

    expect(await told(appOf(expressChangeContext(options), tell), "/", named)).toMatchObject({ userName: "alice" })
  })

  it("may itself ask for the context", async () => {
    const userName = (): string => `user of ${currentChangeContext()?.changeContext}`

    expect(await told(appOf(expressChangeContext({ userName }), tell), "/")).toMatchObject({ userName: "user of Web" })
  })

  it.each<[string, () => unknown, string]>([
    ["throws", () => JSON.parse("{") as unknown, "in JSON"],
    ["gives no text", () => 7, "it gave a number instead of a text or null"],
    [
      "gives a promise that fails",
      () => Promise.reject(new Error("no")),
      "it gave a promise instead of a text or null",
    ],
  ])("is null, with one report, when asking %s", async (_, userName, problem) => {
    const { lines, logger } = collectReports()
    const app = appOf(expressChangeContext({ userName: userName as () => string, logger })).get("/", tell, tell)

    expect(await told(app, "/")).toMatchObject({ userName: null, changeContextDetail: "GET /" })
    expect(lines).toEqual([expect.stringContaining(problem)])
    expect(lines[0]).toContain("CONTEXT_INVALID: `userName` of a request failed")
  })
})

describe("the option context", () => {
  it("gives further keys, as they are when a statement runs, without secrets", async () => {
    const options: ExpressChangeContextOptions<{ user?: object; headers: object }> = {
      context: (request) => ({ isSignedIn: request.user !== undefined, headers: request.headers }),
    }
    const app = appOf(expressChangeContext(options), authenticate, tell)

    expect(await told(app, "/", { headers: { cookie: "s3cret", "x-a": "b" } })).toMatchObject({
      isSignedIn: true,
      headers: { cookie: "***", "x-a": "b" },
    })
  })

  it("may name the work better than the route does", async () => {
    const app = appOf(expressChangeContext({ context: () => ({ changeContextDetail: "mutation addDevice" }) }))

    expect(await told(app.get("/graphql", tell), "/graphql")).toMatchObject({
      changeContextDetail: "mutation addDevice",
    })
  })

  it.each<[string, () => unknown]>([
    ["throws", () => JSON.parse("{") as unknown],
    ["gives no object", () => "tenant"],
    ["gives what cannot be kept", () => ({ find: () => 1 })],
    ["gives a name of the event's", () => ({ timestamp: 1 })],
  ])("is left out, with a report, when it %s", async (_, context) => {
    const { lines, logger } = collectReports()
    const app = appOf(
      expressChangeContext({ context: context as () => object as () => Record<string, unknown>, logger }),
    )

    expect(await told(app.get("/", tell), "/")).toMatchObject({ changeContextDetail: "GET /" })
    expect(lines).toEqual([expect.stringContaining("`context` of a request failed")])
  })
})

describe("expressChangeContext", () => {
  it("lists all that is wrong with its options", () => {
    const options = { usrName: () => "alice", context: {}, requestIdHeader: "", trustRequestId: "no" }
    const open = (): unknown => expressChangeContext(options as unknown as ExpressChangeContextOptions)

    expect(open).toThrow(ChangeEventsError)
    expect(open).toThrow(
      "expressChangeContext: unknown option `usrName`, did you mean `userName`?; `context` is not a function; " +
        "`requestIdHeader` is not the name of a header; `trustRequestId` is neither true nor false",
    )
  })
})
