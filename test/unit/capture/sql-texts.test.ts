import { namesRowsByKey } from "../../../src/capture/captured-statement"
import { parseComposite } from "../../../src/capture/image-sql"
import {
  savepointName,
  splitStatements,
  transactionCommand,
  transactionEnding,
} from "../../../src/capture/transaction-commands"
import { hidesWrite, writtenTable } from "../../../src/capture/written-table"

describe("the table that a text writes to", () => {
  it.each([
    ["INSERT INTO device VALUES (1)", "device"],
    ['insert into "dcim"."Device" ("a") values (1)', "dcim.Device"],
    ["UPDATE ONLY dcim.Device SET a = 1", "dcim.device"],
    ['DELETE FROM "a""b" WHERE true', 'a"b'],
    ["/* hint */ -- why\n UPDATE x SET a = 1", "x"],
    ["TRUNCATE TABLE dcim.device", "dcim.device"],
    ["TRUNCATE device RESTART IDENTITY", "device"],
    ["MERGE INTO device d USING x ON true", "device"],
    ["COPY device FROM STDIN", "device"],
    ['UPDATE "with.dot"."t" SET a = 1', "with.dot.t"],
  ])("is read from %s", (text, table) => {
    expect(writtenTable(text)).toBe(table)
  })

  it.each(["TRUNCATE a, b", "WITH x AS (SELECT 1) UPDATE device SET a = 1", "SELECT 1", "", "EXECUTE plan"])(
    "is not guessed from %s",
    (text) => {
      expect(writtenTable(text)).toBeUndefined()
    },
  )
})

describe("a WITH", () => {
  it.each([
    "WITH gone AS (DELETE FROM device RETURNING *) SELECT * FROM gone",
    "  /* c */ with x as ( update device set a = 1 returning 1) select 1",
  ])("hides a write: %s", (text) => {
    expect(hidesWrite(text)).toBe(true)
  })

  it.each(["WITH x AS (SELECT '(DELETE FROM a)') SELECT 1", "SELECT 1", 'WITH x AS (SELECT "(update") SELECT 1'])(
    "hides none: %s",
    (text) => {
      expect(hidesWrite(text)).toBe(false)
    },
  )
})

describe("a command tag with its text", () => {
  it.each([
    ["BEGIN", "begin", "begin"],
    ["START", "START TRANSACTION READ WRITE", "begin"],
    ["COMMIT", "END", "commit"],
    ["ROLLBACK", "COMMIT", "rollback"],
    ["ROLLBACK", "-- why\nROLLBACK TO x", "rollback to"],
    ["ROLLBACK", "rollback transaction to savepoint x", "rollback to"],
    ["ROLLBACK", "ABORT", "rollback"],
    ["PREPARE", "PREPARE TRANSACTION 'a'", "prepare transaction"],
    ["PREPARE", "PREPARE plan AS SELECT 1", undefined],
    ["COMMIT", "COMMIT PREPARED 'a'", undefined],
    ["ROLLBACK", "ROLLBACK PREPARED 'a'", undefined],
    ["SELECT", "SELECT 1", undefined],
    [null, "", undefined],
  ])("%s for %s is %s", (tag, text, command) => {
    expect(transactionCommand(tag, text)).toBe(command)
  })

  it.each([
    ["COMMIT", "commit"],
    ["SELECT 1; end", "commit"],
    ["ROLLBACK TO x", undefined],
    ["ROLLBACK", "rollback"],
    ["SELECT 'COMMIT'", undefined],
  ])("%s would have ended its transaction by %s", (text, ending) => {
    expect(transactionEnding(text)).toBe(ending)
  })

  it.each([
    ["SAVEPOINT Abc", "abc"],
    ['ROLLBACK TO SAVEPOINT "A ""b"""', 'A "b"'],
    ["RELEASE x ;", "x"],
  ])("%s names the savepoint %s", (text, name) => {
    expect(savepointName(text)).toBe(name)
  })
})

describe("a text of several statements", () => {
  it("is cut at the semicolons outside quotes and comments", () => {
    const text = `SELECT ';', ";" ; -- ;\n /* ; */ SELECT $a$;$a$; ;COMMIT`

    expect(splitStatements(text)).toEqual([`SELECT ';', ";"`, "SELECT $a$;$a$", "COMMIT"])
  })

  it.each([
    ["a literal", (text: string) => `'it''s; ${text}'`],
    ["a literal with escapes", (text: string) => `E'it\\'s; ''\\\n${text}'`],
    ["a name", (text: string) => `"a ""b"";${text}"`],
    ["a literal in dollars", (text: string) => `$a$;'${text}$a$`],
    ["a comment", (text: string) => `1 /*; ${text}*/`],
  ])("is cut at the right place where it has %s of megabytes", (_, made) => {
    const statements = splitStatements(`SELECT ${made("x".repeat(20_000_000))}; COMMIT`)

    expect(statements.map((statement) => statement.slice(0, 6))).toEqual(["SELECT", "COMMIT"])
  })
})

describe("a composite in text form", () => {
  it.each([
    ["(1,abc,,t)", ["1", "abc", null, "t"]],
    ['("a b","say ""hi""","back\\\\slash","",)', ["a b", 'say "hi"', "back\\slash", "", null]],
    ['("(1,2)","{""a"": 1}"," x ")', ["(1,2)", '{"a": 1}', " x "]],
    ["()", [null]],
    ['("line\nbreak",ä)', ["line\nbreak", "ä"]],
  ])("%s is read", (text, values) => {
    expect(parseComposite(text)).toEqual(values)
  })

  it("is read though a value has megabytes", () => {
    const long = "x y".repeat(7_000_000)

    expect(parseComposite(`(1,"${long}""",)`)[1] === `${long}"`).toBe(true)
  })
})

describe("conditions", () => {
  const keys = [["id"], ["device", "name"]]
  const equal = (path: string) => ({ type: "and", condition: { operator: "equal", parameters: [path, ":p"] } })
  const where = (...conditions: unknown[]) => [{ type: "simple", condition: conditions }]

  it("name rows by the primary key or a whole unique constraint", () => {
    expect(namesRowsByKey(where(equal("id")), keys, 10)).toBe(true)
    expect(namesRowsByKey(where(equal("name"), equal("device"), equal("x")), keys, 10)).toBe(true)
    expect(namesRowsByKey([...where(equal("id")), { type: "and", condition: "a = 1" }], keys, 10)).toBe(true)
  })

  it("name too many or unknown rows otherwise", () => {
    const list = { type: "and", condition: { operator: "in", parameters: ["id", ":a", ":b"] } }
    expect(namesRowsByKey(where(list), keys, 2)).toBe(true)
    expect(namesRowsByKey(where(list), keys, 1)).toBe(false)
    expect(namesRowsByKey(where(equal("name")), keys, 10)).toBe(false)
    expect(namesRowsByKey([...where(equal("id")), { type: "or", condition: "a = 1" }], keys, 10)).toBe(false)
    expect(namesRowsByKey([], keys, 10)).toBe(false)
  })

  it("name as many rows as they have alternatives", () => {
    const alternatives = [1, 2].map(() => ({ type: "or", condition: [equal("id")] }))
    expect(namesRowsByKey([{ type: "simple", condition: alternatives }], keys, 2)).toBe(true)
    expect(namesRowsByKey([{ type: "simple", condition: alternatives }], keys, 1)).toBe(false)
  })
})
