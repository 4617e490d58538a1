import fc from "fast-check"
import type { ChangeRecord } from "../../../src/events/change-event"
import { differences, isUnchanged } from "../../../src/events/differences"

const sw1: ChangeRecord = { id: 1, name: "sw1", status: "planned", site: 7 }
const records = fc.dictionary(fc.string(), fc.jsonValue())

describe("differences", () => {
  it("adds the whole record on a create", () => {
    expect(differences(null, sw1)).toEqual({ added: sw1, removed: null })
  })

  it("removes the whole record on a delete", () => {
    expect(differences(sw1, null)).toEqual({ added: null, removed: sw1 })
  })

  it("holds the attributes that changed, new and old", () => {
    const found = differences(sw1, { ...sw1, status: "active" })

    expect(found).toEqual({ added: { status: "active" }, removed: { status: "planned" } })
  })

  it("keeps the order of postchange", () => {
    const found = differences({ a: 1, b: 1, c: 1 }, { c: 2, a: 1, b: 2 })

    expect(Object.keys(found.added ?? {})).toEqual(["c", "b"])
    expect(Object.keys(found.removed ?? {})).toEqual(["c", "b"])
  })

  it("reports an attribute that vanished, with null as the new value", () => {
    expect(differences({ a: 1, b: 2 }, { a: 1 })).toEqual({ added: { b: null }, removed: { b: 2 } })
  })

  it("reports an attribute that is new, with null as the old value", () => {
    expect(differences({ a: 1 }, { a: 1, b: 2 })).toEqual({ added: { b: 2 }, removed: { b: null } })
  })

  it("takes a missing attribute for null", () => {
    expect(isUnchanged(differences({ a: 1, b: null }, { a: 1, c: null }))).toBe(true)
  })

  it.each<[string, unknown, unknown]>([
    ["a number and its text", 1, "1"],
    ["a number and a boolean", 1, true],
    ["an empty text and null", "", null],
    ["an empty list and null", [], null],
    ["an empty list and an empty object", [], {}],
    ["zero and false", 0, false],
    ["two orders of a list", ["a", "b"], ["b", "a"]],
    ["a list and its beginning", ["a"], ["a", "b"]],
    ["an object and a part of it", { x: 1 }, { x: 1, y: null }],
    ["two values deep inside", { x: [{ y: 1 }] }, { x: [{ y: 2 }] }],
    ["an own key and one that every object inherits", {}, { constructor: 1 }],
  ])("tells %s apart", (_, before, after) => {
    expect(differences({ f: before }, { f: after })).toEqual({ added: { f: after }, removed: { f: before } })
    expect(differences({ f: after }, { f: before })).toEqual({ added: { f: before }, removed: { f: after } })
  })

  it("does not mind the order of an object's keys", () => {
    expect(isUnchanged(differences({ cf: { x: 1, y: [2] } }, { cf: { y: [2], x: 1 } }))).toBe(true)
  })

  it("leaves out ignored attributes, also when they vanish", () => {
    const ignored = new Set(["updatedAt", "version"])
    const found = differences({ a: 1, updatedAt: "x", version: 1 }, { a: 2, updatedAt: "y" }, ignored)

    expect(found).toEqual({ added: { a: 2 }, removed: { a: 1 } })
  })

  it("keeps ignored attributes of a create and a delete", () => {
    const ignored = new Set(["version"])

    expect(differences(null, { version: 1 }, ignored).added).toEqual({ version: 1 })
    expect(differences({ version: 1 }, null, ignored).removed).toEqual({ version: 1 })
  })

  it("allocates nothing for equal images", () => {
    expect(differences(sw1, { ...sw1 })).toBe(differences({}, {}))
  })

  it("turns the old image into the new one", () => {
    fc.assert(
      fc.property(records, records, (before, after) => {
        const { added } = differences(before, after)
        const present = ([, value]: [string, unknown]): boolean => value !== null
        const rebuilt = Object.entries({ ...before, ...added }).filter(present)

        expect(Object.fromEntries(rebuilt)).toEqual(Object.fromEntries(Object.entries(after).filter(present)))
      }),
    )
  })

  it("keeps an attribute that is called like the prototype", () => {
    const found = differences({}, JSON.parse('{ "__proto__": 1 }') as ChangeRecord)

    expect(JSON.stringify(found)).toBe('{"added":{"__proto__":1},"removed":{"__proto__":null}}')
  })

  it("finds nothing between a record and its copy", () => {
    fc.assert(fc.property(records, (it) => isUnchanged(differences(it, structuredClone(it)))))
  })
})

describe("isUnchanged", () => {
  it("is never true of a create or a delete", () => {
    expect(isUnchanged(differences(null, {}))).toBe(false)
    expect(isUnchanged(differences({}, null))).toBe(false)
  })

  it("is true of an update that changed nothing", () => {
    expect(isUnchanged(differences(sw1, { ...sw1 }))).toBe(true)
    expect(isUnchanged(differences(sw1, { ...sw1, site: 8 }))).toBe(false)
  })
})
