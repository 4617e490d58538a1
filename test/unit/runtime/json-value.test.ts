import fc from "fast-check"
import { jsonValue } from "../../../src/runtime/json-value"

class Money {
  constructor(
    readonly amount: bigint,
    readonly currency: string,
  ) {}
}

class Amount {
  constructor(private readonly cents: number) {}
  toJSON(): string {
    return `${this.cents / 100} EUR`
  }
}

describe("jsonValue", () => {
  it.each<[string, unknown, unknown]>([
    ["a date as ISO 8601 UTC", new Date(Date.UTC(2026, 0, 1)), "2026-01-01T00:00:00.000Z"],
    ["an invalid date as null", new Date(Number.NaN), null],
    ["a buffer as base64", Buffer.from("sw1"), "c3cx"],
    ["a part of a buffer as that part", new Uint8Array([1, 2, 3, 4]).subarray(1, 3), "AgM="],
    ["an array buffer as base64", new Uint8Array([2, 3]).buffer, "AgM="],
    ["a list of larger numbers as a list", new Float64Array([1.5, Number.NaN]), [1.5, "NaN"]],
    ["a bigint as decimal text", 9_007_199_254_740_993n, "9007199254740993"],
    ["NaN as text", Number.NaN, "NaN"],
    ["Infinity as text", Infinity, "Infinity"],
    ["-Infinity as text", -Infinity, "-Infinity"],
    ["a map as an object", new Map<unknown, unknown>([["a", 1n], [2, new Date(0)]]), { a: "1", 2: "1970-01-01T00:00:00.000Z" }], // prettier-ignore
    ["a set as a list", new Set(["a", 2n]), ["a", "2"]],
    ["undefined in an object as nothing", { a: undefined, b: 1 }, { b: 1 }],
    ["undefined in a list as null", [undefined, 1], [null, 1]],
    ["functions and symbols as JSON does", { f: () => 1, s: Symbol("s"), l: [Symbol("s")] }, { l: [null] }],
    ["nothing at all as null", undefined, null],
    ["what an object makes of itself", { price: new Amount(250) }, { price: "2.5 EUR" }],
    ["a date that an object makes of itself", { toJSON: () => new Date(0) }, "1970-01-01T00:00:00.000Z"],
    ["an instance of a class as its attributes", new Money(5n, "EUR"), { amount: "5", currency: "EUR" }],
    ["values at any depth", { a: [{ b: [1n] }] }, { a: [{ b: ["1"] }] }],
  ])("gives %s", (_, value, expected) => {
    expect(jsonValue(value)).toEqual(expected)
  })

  it("gives a value that is JSON already back itself", () => {
    const value = { id: 1, tags: ["a", null], meta: { on: true } }

    expect(jsonValue(value)).toBe(value)
    expect(jsonValue(value.tags)).toBe(value.tags)
  })

  it("leaves the value it was given as it is", () => {
    const value = { list: [1n], date: new Date(0) }

    jsonValue(value)

    expect(value).toEqual({ list: [1n], date: new Date(0) })
  })

  it("names the path of a value that holds itself", () => {
    const device: { parts: unknown[] } = { parts: [] }
    device.parts.push({ device })

    expect(() => jsonValue({ device })).toThrow("the value at `device.parts.0.device` holds itself")
  })

  it("takes the same value at two places for what it is, not for a circle", () => {
    const site = { since: new Date(0) }

    expect(jsonValue([site, site])).toEqual([
      { since: "1970-01-01T00:00:00.000Z" },
      { since: "1970-01-01T00:00:00.000Z" },
    ])
  })

  it("keeps a key that is called like the prototype", () => {
    const value: unknown = JSON.parse('{ "__proto__": { "admin": true }, "n": 1 }')
    const converted = jsonValue({ value, big: 1n })

    expect(JSON.stringify(converted)).toBe('{"value":{"__proto__":{"admin":true},"n":1},"big":"1"}')
  })

  it("gives what JSON holds, whatever it was given", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
    })
    fc.assert(
      fc.property(anything, (value) => {
        const converted = jsonValue(value)
        expect(jsonValue(converted)).toEqual(converted)
        expect(() => JSON.stringify(converted)).not.toThrow()
      }),
    )
  })

  it("leaves every JSON value alone", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(jsonValue(value)).toBe(value)))
  })
})
