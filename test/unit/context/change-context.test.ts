import { setImmediate as nextTurn } from "node:timers/promises"
import type * as changeContext from "../../../src/context/change-context"
import {
  amendChangeContext,
  currentChangeContext,
  withChangeContext,
  type ChangeContext,
} from "../../../src/context/change-context"
import { ChangeEventsError } from "../../../src/errors"
import { isUuid } from "../../../src/runtime/uuid"

const requestId = "cccccccc-0000-4000-8000-000000000001"
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

function opened(context: object): Readonly<Record<string, unknown>> {
  return withChangeContext(context as ChangeContext, () => currentChangeContext()) ?? {}
}

function faultOf(context: unknown, run: (context: ChangeContext) => unknown = opened): string {
  try {
    run(context as ChangeContext)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ChangeEventsError)
    expect((thrown as ChangeEventsError).code).toBe("CONTEXT_INVALID")
    return (thrown as ChangeEventsError).message
  }
  throw new Error("the context was accepted")
}

describe("withChangeContext", () => {
  it("opens a context that ends with the function", () => {
    expect(currentChangeContext()).toBeUndefined()
    expect(opened({ userName: "alice" })["userName"]).toBe("alice")
    expect(currentChangeContext()).toBeUndefined()
  })

  it("is the ORM, of nobody, with a request id of its own by default", () => {
    const context = opened({})

    expect(context).toMatchObject({ userName: null, changeContext: "ORM", changeContextDetail: "" })
    expect(isUuid(context["requestId"])).toBe(true)
    expect(opened({})["requestId"]).not.toBe(context["requestId"])
  })

  it("keeps what it was given", () => {
    const given = {
      userName: "alice",
      requestId,
      changeContext: "Job",
      changeContextDetail: "nightly sync",
      traceparent,
      tenant: { id: 7, tags: ["a"] },
    }

    expect(opened(given)).toEqual(given)
  })

  it("gives what the function gives, and throws what it throws", async () => {
    expect(withChangeContext({}, () => 7)).toBe(7)
    await expect(withChangeContext({}, () => Promise.resolve(7))).resolves.toBe(7)
    expect(() => withChangeContext({}, () => JSON.parse("{") as unknown)).toThrow(SyntaxError)
  })

  it("lasts through awaits, timers and concurrent work", async () => {
    const names = Array.from({ length: 100 }, (_, index) => `user ${index}`)
    const work = async (): Promise<unknown> => {
      await nextTurn()
      await Promise.all([nextTurn(), nextTurn()])
      return new Promise((resolve) => setTimeout(() => resolve(currentChangeContext()?.userName), 1))
    }

    const seen = await Promise.all(names.map((userName) => withChangeContext({ userName }, work)))

    expect(seen).toEqual(names)
  })

  it("cuts the detail at 400 characters", () => {
    expect(opened({ changeContextDetail: "x".repeat(400) })["changeContextDetail"]).toHaveLength(400)
    expect(opened({ changeContextDetail: "x".repeat(401) })["changeContextDetail"]).toHaveLength(400)
  })

  it("cuts between characters, not within one", () => {
    const detail = opened({ changeContextDetail: `x${"😀".repeat(500)}` })["changeContextDetail"]

    expect(detail).toBe(`x${"😀".repeat(399)}`)
  })

  it("leaves a trace out that is not valid", () => {
    expect(opened({ traceparent: "00-nonsense" })).not.toHaveProperty("traceparent")
  })

  it("is one per process, however often the package is loaded", () => {
    jest.isolateModules(() => {
      const again = jest.requireActual<typeof changeContext>("../../../src/context/change-context")

      expect(again.currentChangeContext).not.toBe(currentChangeContext)
      expect(withChangeContext({ userName: "alice" }, () => again.currentChangeContext()?.userName)).toBe("alice")
    })
  })
})

describe("a context inside another", () => {
  it("has its own request id, kind and detail, and goes on for the same user", () => {
    const outer = { userName: "alice", requestId, changeContext: "Web", changeContextDetail: "POST /jobs", traceparent, tenant: 7 } // prettier-ignore
    const inner = withChangeContext(outer as ChangeContext, () => opened({ changeContext: "Job" }))

    expect(inner).toMatchObject({
      userName: "alice",
      changeContext: "Job",
      changeContextDetail: "",
      traceparent,
      tenant: 7,
    })
    expect(inner["requestId"]).not.toBe(requestId)
  })

  it("may be somebody else's, or nobody's", () => {
    withChangeContext({ userName: "alice" }, () => {
      expect(opened({ userName: "bob" })["userName"]).toBe("bob")
      expect(opened({ userName: null })["userName"]).toBeNull()
      expect(currentChangeContext()?.userName).toBe("alice")
    })
  })
})

describe("a context that is not valid", () => {
  it.each<[string, unknown, string]>([
    ["no object", "alice", "it is not an object"],
    ["a user who is no text", { userName: 7 }, "`userName` is not a text or null"],
    ["a request id that is no UUID", { requestId: "42" }, "`requestId` is not a UUID"],
    ["a detail that is no text", { changeContextDetail: 7 }, "`changeContextDetail` is not a text"],
    ["a trace that is no text", { traceparent: 7 }, "`traceparent` is not a text"],
    ["a kind with a typing error", { changeContext: "web" }, "did you mean `Web`?"],
    ["a kind with a dash", { changeContext: "job-hook" }, "did you mean `Job hook`?"],
    [
      "a kind that does not exist",
      { changeContext: "Shell" },
      "`changeContext` is none of `Web`, `Job`, `Job hook`, `ORM`",
    ],
    ["the kind of other programs", { changeContext: "Unknown" }, "`changeContext` cannot be `Unknown`"],
    [
      "a field in another spelling",
      { user_name: "alice" },
      "`user_name` cannot be a further key, did you mean `userName`?",
    ],
    ["a name that the event has", { timestamp: 0 }, "`timestamp` cannot be a further key: the event has its own"],
    ["a function", { tenant: { find: () => 1 } }, "`tenant.find` is a function"],
    ["a symbol in a list", { tags: ["a", Symbol("b")] }, "`tags.1` is a symbol"],
  ])("with %s is refused", (_, context, message) => {
    expect(faultOf(context)).toContain(message)
    if (typeof context === "object") {
      expect(faultOf(context, (part) => withChangeContext({}, () => amendChangeContext(part)))).toContain(message)
    }
  })

  it("with a value that holds itself is refused", () => {
    const tenant: Record<string, unknown> = {}
    tenant["parent"] = { tenant }

    expect(faultOf({ tenant })).toContain("`tenant.parent.tenant` holds itself")
  })

  it("lists all its faults at once, without the values", () => {
    const message = faultOf({ userName: 123_456, requestId: "s3cret", changeContext: "web" })

    expect(message).toMatch(/`userName`.*`requestId`.*`changeContext`/)
    expect(message).not.toMatch(/123456|s3cret/)
  })

  it("does not run the function", () => {
    const run = (): never => {
      throw new Error("it ran")
    }

    expect(faultOf({ userName: 7 }, (context) => withChangeContext(context, run))).toContain("userName")
  })
})

describe("a further key", () => {
  it.each([
    "password",
    "oldPassword",
    "PASSWD",
    "clientSecret",
    "accessToken",
    "Authorization",
    "set-cookie",
    "apiKey",
    "api_key",
    "X-API-Key",
    "aws_credentials",
  ])("called %s is masked", (key) => {
    expect(opened({ [key]: "s3cret", tenant: { list: [{ [key]: { deep: "s3cret" } }] } })).toMatchObject({
      [key]: "***",
      tenant: { list: [{ [key]: "***" }] },
    })
  })

  it("is kept as JSON holds it", () => {
    const further = { since: new Date(0), quota: 5n, tags: new Set(["a"]), gone: undefined }

    expect(opened(further)).toMatchObject({ since: "1970-01-01T00:00:00.000Z", quota: "5", tags: ["a"] })
    expect(opened(further)).not.toHaveProperty("gone")
  })

  it("is masked inside what is not plain, too", () => {
    const session = { toJSON: () => ({ id: 7, token: "s3cret" }) }

    expect(opened({ session, map: new Map([["token", "s3cret"]]) })).toMatchObject({
      session: { id: 7, token: "***" },
      map: { token: "***" },
    })
  })

  it("stays as it was when its object changes later", () => {
    const tenant = { name: "a" }

    withChangeContext({ tenant }, () => {
      tenant.name = "b"

      expect(currentChangeContext()?.["tenant"]).toEqual({ name: "a" })
    })
  })
})

describe("currentChangeContext", () => {
  it("gives the same frozen snapshot until it is amended", () => {
    withChangeContext({ userName: "alice", tenant: { id: 7 } }, () => {
      const snapshot = currentChangeContext()

      expect(currentChangeContext()).toBe(snapshot)
      expect(Object.isFrozen(snapshot)).toBe(true)
      expect(Object.isFrozen(snapshot?.["tenant"])).toBe(true)
    })
  })
})

describe("amendChangeContext", () => {
  it("replaces fields for later statements and leaves earlier snapshots", () => {
    withChangeContext({ requestId, tenant: 7 }, () => {
      const before = currentChangeContext()
      amendChangeContext({ userName: "alice", tenant: 8, changeContext: undefined })

      expect(before).toMatchObject({ userName: null, tenant: 7 })
      expect(currentChangeContext()).toEqual({ ...before, userName: "alice", tenant: 8 })
    })
  })

  it("shows in all that runs in the context, also what began before", async () => {
    await withChangeContext({}, async () => {
      const later = nextTurn().then(() => currentChangeContext()?.userName)
      await Promise.resolve().then(() => amendChangeContext({ userName: "alice" }))

      expect(await later).toBe("alice")
    })
  })

  it("changes the innermost context only", () => {
    withChangeContext({ userName: "alice" }, () => {
      withChangeContext({}, () => amendChangeContext({ userName: "bob" }))

      expect(currentChangeContext()?.userName).toBe("alice")
    })
  })

  it("masks what looks like a secret", () => {
    withChangeContext({}, () => {
      amendChangeContext({ sessionToken: "s3cret" })

      expect(currentChangeContext()).toMatchObject({ sessionToken: "***" })
    })
  })

  it("says that there is none to amend outside a context", () => {
    expect(faultOf({ userName: "alice" }, amendChangeContext)).toContain("open one with `withChangeContext`")
  })
})
