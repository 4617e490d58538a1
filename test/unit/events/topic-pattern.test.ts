import fc from "fast-check"
import fnmatchRows from "../../../fixtures/vectors/fnmatch.json"
import filterRows from "../../../fixtures/vectors/topic-filter.json"
import { compileTopicPattern, topicFilter } from "../../../src/events/topic-pattern"

interface FilterInput {
  readonly topic: string
  readonly patterns?: readonly string[]
  readonly include?: readonly string[] | null
  readonly exclude?: readonly string[] | null
}

const topics = fc.string({ unit: "grapheme" })
const letters = fc.array(fc.constantFrom("a", "b", ".", "[", "]", "-", "!", "*", "?", "\\", "^"), { maxLength: 8 })

describe("compileTopicPattern", () => {
  it.each(fnmatchRows as [string, string, boolean][])(
    "matches %p with %p as CPython does: %p",
    (topic, pattern, expected) => {
      expect(compileTopicPattern(pattern)(topic)).toBe(expected)
    },
  )

  it.each([
    ["a line end by *", "*", "a\nb", true],
    ["a line end by ?", "a?b", "a\nb", true],
    ["the empty topic by the empty pattern only", "", "", true],
    ["a character outside the basic plane by one ?", "a?b", "a😀b", true],
    ["a range of characters outside the basic plane", "[😀-😂]", "😁", true],
    ["a range in the wrong order never", "[c-a]", "b", false],
    ["anything by the negation of a range in the wrong order", "[!c-a]", "b", true],
    ["a dash that begins a set", "[-a]", "-", true],
    ["a dash that ends a set", "[a-]", "-", true],
    ["a dash between two ranges", "[a-c-e]", "-", true],
    ["nothing of the range that dash would make", "[a-c-e]", "d", false],
    ["a closing bracket that begins a negated set", "[!]]", "]", false],
    ["a caret in a set as a caret", "[^a]", "^", true],
    ["a backslash as a backslash", "a\\*", "a\\b", true],
    ["an open bracket as itself", "a[b", "a[b", true],
    ["upper case not by lower case", "Device", "device", false],
  ])("matches %s", (_, pattern, topic, expected) => {
    expect(compileTopicPattern(pattern)(topic)).toBe(expected)
  })

  it("matches every topic with *", () => {
    fc.assert(fc.property(topics, (topic) => compileTopicPattern("*")(topic)))
    fc.assert(fc.property(topics, (topic) => compileTopicPattern("**")(topic)))
  })

  it("matches a text literally when each special character is in brackets", () => {
    const escape = (text: string): string => text.replace(/[*?[]/g, "[$&]")
    fc.assert(
      fc.property(letters, letters, (one, other) => {
        const matches = compileTopicPattern(escape(one.join("")))
        expect(matches(one.join(""))).toBe(true)
        expect(matches(other.join(""))).toBe(one.join("") === other.join(""))
      }),
    )
  })

  it("finds a text wherever it stands between stars", () => {
    const words = fc.string({ unit: fc.constantFrom("a", "b", ".") })
    fc.assert(
      fc.property(words, words, words, (before, word, after) =>
        compileTopicPattern(`*${word}*`)(before + word + after),
      ),
    )
  })

  it("answers at once however many stars a pattern has", () => {
    const matches = compileTopicPattern(`${"*a".repeat(50)}*b`)
    const startedAt = performance.now()

    expect(matches("a".repeat(5_000))).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

describe("topicFilter", () => {
  it.each(filterRows.map((row) => [row.id, row.input as FilterInput, row.expected] as const))(
    "decides %s",
    (_, input, expected) => {
      const filter = topicFilter({ include: input.patterns ?? input.include, exclude: input.exclude })

      expect(filter(input.topic)).toBe("match" in expected ? expected.match : expected.delivered === 1)
    },
  )

  it("lets everything through without patterns", () => {
    expect(topicFilter({})("anything at all")).toBe(true)
  })

  it("lets an exclusion win over an inclusion", () => {
    const filter = topicFilter({ include: ["*.dcim.*", "*.ipam.*"], exclude: ["*.dcim.cable"] })

    expect(filter("update.ipam.prefix")).toBe(true)
    expect(filter("update.dcim.device")).toBe(true)
    expect(filter("update.dcim.cable")).toBe(false)
    expect(filter("update.extras.tag")).toBe(false)
  })
})
