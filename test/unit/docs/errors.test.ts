import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { errorCodes } from "../../../src/errors"

const root = resolve(__dirname, "../../..")

const sections = readFileSync(join(root, "docs/errors.md"), "utf8")
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ code: text.split("\n", 1)[0] as string, text }))

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && path !== "errors.ts")
  .map((path) => readFileSync(join(root, "src", path), "utf8"))

describe("docs/errors.md", () => {
  it("has a heading for each code, and no other", () => {
    expect(sections.map(({ code }) => code).sort()).toEqual([...errorCodes].sort())
  })

  it.each(sections)("says of $code what happened, to whom, and the way out", ({ text }) => {
    expect(text).toMatch(/\*\*What happened\.\*\* \S[^]*\*\*To whom\.\*\* \S[^]*\*\*Way out\.\*\* \S/)
  })
})

it.each(errorCodes)("%s is thrown or reported by some source, not only listed", (code) => {
  expect(sources.some((source) => source.includes(`"${code}"`))).toBe(true)
})
