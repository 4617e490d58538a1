import { validTraceparent } from "../../../src/runtime/traceparent"

const trace = "0af7651916cd43dd8448eb211c80319c"
const parent = "b7ad6b7169203331"

describe("validTraceparent", () => {
  it("takes a header of version 00 as it is", () => {
    expect(validTraceparent(`00-${trace}-${parent}-01`)).toBe(`00-${trace}-${parent}-01`)
  })

  it("reads a later version as far as version 00 goes", () => {
    expect(validTraceparent(`cc-${trace}-${parent}-03-what-the-future-holds`)).toBe(`00-${trace}-${parent}-01`)
    expect(validTraceparent(`cc-${trace}-${parent}-02`)).toBe(`00-${trace}-${parent}-00`)
  })

  it.each([
    ["no text", 7],
    ["several headers", [`00-${trace}-${parent}-01`]],
    ["nothing", ""],
    ["the forbidden version", `ff-${trace}-${parent}-01`],
    ["more fields than version 00 has", `00-${trace}-${parent}-01-x`],
    ["a later version's field that is not set off", `cc-${trace}-${parent}-01x`],
    ["upper case", `00-${trace.toUpperCase()}-${parent}-01`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${parent}-01`],
    ["a parent of zeros", `00-${trace}-${"0".repeat(16)}-01`],
    ["a short trace", `00-${trace.slice(1)}-${parent}-01`],
    ["two headers that were joined", `00-${trace}-${parent}-01, 00-${trace}-${parent}-01`],
    ["a line end", `00-${trace}-${parent}-01\n`],
  ])("refuses %s", (_, header) => {
    expect(validTraceparent(header)).toBeUndefined()
  })
})
