import { PreparedStatements } from "../../../src/capture/prepared-statements"
import { statementName } from "../../../src/runtime/statement-name"

/** Of an entity without enums. */
const plain = { columns: [] }

it("names a statement by its text alone, so that no process behind a pooler means another by the name", () => {
  const [first, second] = [new PreparedStatements(true), new PreparedStatements(true)]
  const use = (prepared: PreparedStatements, text: string) => [1, 2, 3].map(() => prepared.nameOf(text, plain)).at(-1)

  expect([use(first, "a"), use(first, "b")]).toEqual([use(second, "b"), use(second, "a")].reverse())
  expect(statementName("a")).toMatch(/^change_events_[0-9a-f]{24}$/)
})

describe("prepared statements", () => {
  it("are named from the third use of a text, each text its own", () => {
    const prepared = new PreparedStatements(true)
    const names = [1, 2, 3, 4].map(() => prepared.nameOf("a", plain))
    prepared.nameOf("b", plain)
    prepared.nameOf("b", plain)

    expect(names).toEqual([undefined, undefined, statementName("a"), statementName("a")])
    expect(prepared.nameOf("b", plain)).toBe(statementName("b"))
  })

  it("end at 200, and texts that come once are forgotten, so that neither server nor process fills up", () => {
    const prepared = new PreparedStatements(true)
    const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`)
    for (let round = 0; round < 3; round++) texts.forEach((text) => prepared.nameOf(text, plain))
    const named = texts.filter((text) => prepared.nameOf(text, plain) !== undefined)

    expect(named).toHaveLength(200)
  })

  it("are not used again for a text whose plan went stale, and not at all behind a pooler that changes servers", () => {
    const prepared = new PreparedStatements(true)
    const use = (text: string) => [1, 2, 3].map(() => prepared.nameOf(text, plain)).at(-1)
    use("a")
    use("b")

    expect(
      prepared.isOwnFailure("a", "name", { code: "0A000", message: "cached plan must not change result type" }),
    ).toBe(true)
    expect([prepared.nameOf("a", plain), prepared.nameOf("b", plain)]).toEqual([undefined, statementName("b")])
    expect(prepared.isOwnFailure("b", "name", { code: "23505", message: "duplicate key" })).toBe(false)
    expect(prepared.isOwnFailure("b", "name", { code: "26000", message: "prepared statement does not exist" })).toBe(
      true,
    )
    expect(prepared.nameOf("b", plain)).toBeUndefined()
  })

  it("are not made of texts so long that keeping them would cost every connection megabytes", () => {
    const prepared = new PreparedStatements(true)
    const long = "x".repeat(8_193)

    expect([1, 2, 3, 4].map(() => prepared.nameOf(long, plain))).toEqual([undefined, undefined, undefined, undefined])
  })
})
