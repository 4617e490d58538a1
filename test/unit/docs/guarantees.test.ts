import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(__dirname, "../../..")

const sections = readFileSync(join(root, "docs/guarantees.md"), "utf8").split(/^## /m).slice(1)

const testFiles = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".test.ts"))
  .map((path) => ({ file: `test/${path}`, text: readFileSync(join(root, "test", path), "utf8") }))

interface NamedTest {
  readonly file: string
  readonly title: string
}

/** The tests that a section names: list items that begin with a file, and what they quote. */
function namedTests(section: string): NamedTest[] {
  const items = [...`${section}\n`.matchAll(/^- `(test\/[^`]+\.test\.ts)`.*?:(.*?)(?=\n- |\n\n)/gms)]
  return items.flatMap(([, file = "", quotes = ""]) =>
    [...quotes.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => ({ file, title: title.replace(/\s+/g, " ") })),
  )
}

/** Undefined when all is well, else where the test is now. */
function misnamed({ file, title }: NamedTest): string | undefined {
  const files = testFiles.filter(({ text }) => text.includes(title)).map((holder) => holder.file)
  return files.includes(file) ? undefined : `"${title}" is not in ${file}, but in: ${files.join(", ") || "no file"}`
}

describe("docs/guarantees.md", () => {
  it("has a section for each guarantee", () => {
    expect(sections.map((text) => text.slice(0, 2))).toEqual(["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9"])
  })

  it.each(sections.map((text) => [text.slice(0, 2), text] as const))("names tests for %s that exist", (_, text) => {
    const named = namedTests(text)

    expect(named.length).toBeGreaterThan(2)
    expect(named.flatMap((test) => misnamed(test) ?? [])).toEqual([])
  })
})
