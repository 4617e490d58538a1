import { PassThrough, Writable } from "node:stream"
import { consoleBroker, type ConsoleBrokerOptions } from "../../../src/brokers/console"
import { eventMessage } from "../../contracts/event-message"

async function output(body: string, options: ConsoleBrokerOptions = {}, topic = "dcim.update.device"): Promise<string> {
  const stream = new PassThrough()
  const broker = consoleBroker({ stream, ...options })
  await broker.publish(eventMessage({ body, topic, key: "device:1" }))
  await broker.close()
  return String(stream.read())
}

const update = JSON.stringify({
  context: { user_name: "alice", change_context: "Web", change_context_detail: "PATCH /devices/1" },
  prechange: { id: 1, name: "sw1", status: "planned" },
  postchange: { id: 1, name: "sw1", status: "active" },
  differences: { removed: { status: "planned" }, added: { status: "active" } },
})

describe("a diff", () => {
  it("shows who changed what, old and new", async () => {
    expect(await output(update, { style: "diff", colour: false })).toBe(
      [
        "update dcim.update.device device:1 by alice (Web: PATCH /devices/1)",
        `  - status: "planned"`,
        `  + status: "active"`,
        "",
      ].join("\n"),
    )
  })

  it("has colours on request", async () => {
    expect(await output(update, { colour: true })).toContain(`\u001b[32m  + status: "active"\u001b[0m`)
  })

  it.each([
    [
      "create",
      { prechange: null, postchange: { id: 1 }, differences: { added: { id: 1 }, removed: null } },
      "  + id: 1",
    ],
    [
      "delete",
      { prechange: { id: 1 }, postchange: null, differences: { added: null, removed: { id: 1 } } },
      "  - id: 1",
    ],
  ])("shows a %s on one side only", async (action, body, line) => {
    const text = await output(JSON.stringify(body), { style: "diff", colour: false })

    expect(text).toBe(`${action} dcim.update.device device:1\n${line}\n`)
  })

  it.each([
    "",
    "no json",
    "null",
    "[1]",
    `{"a":1}`,
    `{"differences":1}`,
    `{"differences":{"added":[],"removed":7},"context":3}`,
  ])("takes the odd body %p", async (body) => {
    expect(await output(body, { style: "diff", colour: true })).toContain("dcim.update.device")
  })

  it("shows what a terminal would act upon, instead of sending it", async () => {
    const evil = "\u001b[2J\u009b31m\u0007\r\u202e\u2028"
    const body = JSON.stringify({
      context: { user_name: evil },
      differences: { added: { [evil]: evil }, removed: null },
    })

    for (const text of [
      await output(body, { style: "diff", colour: false }, evil),
      await output(evil, { style: "diff", colour: false }),
    ]) {
      expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e\u2028]/u)
      expect(text).toContain("\\u{1b}[2J")
    }
  })

  it("shortens long values", async () => {
    const body = JSON.stringify({ differences: { added: { note: "x".repeat(10_000) }, removed: null } })

    expect((await output(body, { style: "diff" })).length).toBeLessThan(1_000)
  })
})

describe("lines", () => {
  it("are what a stream gets that is no terminal", async () => {
    expect(await output(`{"a":1.10}`)).toBe(`{"topic":"dcim.update.device","a":1.10}\n`)
    expect(await output(`{}`)).toBe(`{"topic":"dcim.update.device"}\n`)
  })

  it.each([
    ["no json", `"no json"`],
    ["[1]", "[1]"],
    [`{"topic":"own"}`, `{"topic":"own"}`],
    [`{\n"a": 1\n}`, `{"a":1}`],
    ["", `""`],
  ])("have the body %p as a member", async (body, member) => {
    expect(await output(body)).toBe(`{"topic":"dcim.update.device","body":${member}}\n`)
  })
})

describe("a stream that fails", () => {
  it("rejects the publish when it is broken, and does not end the process", async () => {
    const stream = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error("EPIPE")) })
    const broker = consoleBroker({ stream })

    await expect(broker.publish(eventMessage())).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" })
    await expect(broker.publish(eventMessage())).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" })
    await broker.close()
  })

  it("rejects at once when nobody reads, once a megabyte waits", async () => {
    const stream = new Writable({ write: () => undefined })
    const broker = consoleBroker({ stream })
    void broker.publish(eventMessage({ body: "x".repeat(2_000_000) }))

    await expect(broker.publish(eventMessage())).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" })
  })
})
