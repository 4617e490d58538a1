import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run, type ExitCode } from "../../../src/cli/run"
import { version } from "../../../package.json"

interface Outcome {
  readonly code: ExitCode
  readonly written: string
  readonly told: string
}

async function ran(...args: readonly string[]): Promise<Outcome> {
  const written: string[] = []
  const told: string[] = []
  const code = await run(args, {
    write: async (text) => void written.push(text),
    tell: (line) => void told.push(line),
  })
  return { code, written: written.join(""), told: told.join("\n") }
}

describe("change-events", () => {
  it.each([[[]], [["--help"]], [["-h"]]])("lists its commands for %j", async (args: readonly string[]) => {
    expect(await ran(...args)).toMatchObject({
      code: 0,
      written: expect.stringMatching(
        /^Usage: change-events <command>[^]*\n {2}asyncapi +Writes an AsyncAPI 3[^]*\n {2}triggers:generate +Writes the migration/,
      ),
      told: "",
    })
  })

  it("explains a command with all its options", async () => {
    const { code, written } = await ran("asyncapi", "--help")

    expect(code).toBe(0)
    expect(written.match(/--[a-z-]+/g)).toEqual([
      "--data-source",
      "--out",
      "--title",
      "--api-version",
      "--topic-prefix",
      "--help",
    ])
  })

  it("says its version", async () => {
    expect(await ran("--version")).toEqual({ code: 0, written: `${version}\n`, told: "" })
  })

  it.each([
    [["asyncpai"], "unknown command `asyncpai`, did you mean `asyncapi`?"],
    [["toString"], "unknown command `toString`"],
    [["-d", "ormconfig.ts"], "`-d` stands before any command"],
    [["asyncapi"], "`--data-source` is missing: `-d ormconfig.ts`"],
    [["asyncapi", "--titles", "x"], "unknown option `--titles`, did you mean `--title`?; `x` belongs to no option"],
    [["asyncapi", "--constructor"], "unknown option `--constructor`"],
    [["asyncapi", "-x"], "unknown option `-x`"],
    [["asyncapi", "-d"], "`-d` needs <file>"],
    [["asyncapi", "-d", "--out", "x.json"], "`-d` needs <file>"],
    [["asyncapi", "--out="], "`--out` needs <file>"],
    [["triggers:generat"], "unknown command `triggers:generat`, did you mean `triggers:generate`?"],
    [["triggers:generate", "--name", "a b"], "`--data-source` is missing: `-d ormconfig.ts`; `--name` must be a name"],
    [["asyncapi", "more"], "`more` belongs to no option"],
    [["asyncapi", "-d", "x", "--topic-prefix", "a b"], "`--topic-prefix` must be words joined by dots"],
    [["replay", "--since", "soon", "-d", "x"], "`--broker` is missing; `--since` must be a time"],
    [["tail", "--since", "tomorrow", "-d", "x"], "`--since` must be a time"],
    [["relay", "--start-at", "end", "-d", "x"], '`--start-at` must be "beginning" or "now"'],
    [["replay", "--broker", "b", "--since", "9223372036854775808", "-d", "x"], "`--since` must be a time"],
    [
      ["dead-letters", "list", "--after", "9223372036854775808", "-d", "x"],
      "`--after` must be the id of a dead letter",
    ],
    [["prune", "--days", "few", "-d", "x"], "`--days` must be a whole number"],
    [["adopt", "-d", "x"], '`--deliver` must be "rest" or "nothing"'],
    [["forget", "-d", "x"], "`--broker` is missing"],
    [["dead-letters", "drop", "-d", "x"], "which? `--id`, `--broker`, `--key`, or `--all`"],
    [["dead-letters", "requeue", "--id", "x", "-d", "x"], "`--id` must be ids of dead letters"],
    [["dead-letters", "lst", "-d", "x"], "unknown command `dead-letters lst`, did you mean `dead-letters list`?"],
  ])("refuses %j with 2", async (args: readonly string[], fault: string) => {
    const { code, written, told } = await ran(...args)

    expect(told).toContain(fault)
    expect(told).toContain("(COMMAND_INVALID)\n`change-events --help` lists commands and options")
    expect({ code, written }).toEqual({ code: 2, written: "" })
  })
})

describe("change-events asyncapi", () => {
  const root = join(__dirname, "../../..")
  let folder: string

  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "change-events-"))))
  afterEach(() => rm(folder, { recursive: true }))

  async function file(name: string, text: string): Promise<string> {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }

  it("writes the document of a DataSource in TypeScript, without a database", async () => {
    const { code, written } = await ran("asyncapi", "-d", join(root, "ormconfig.ts"))

    const { asyncapi, info, channels } = JSON.parse(written) as Record<string, Record<string, unknown>>
    expect(code).toBe(0)
    expect({ asyncapi, title: info?.["title"], version: info?.["version"] }).toEqual({
      asyncapi: "3.0.0",
      title: "Change events",
      version: "1.0.0",
    })
    expect(Object.keys(channels ?? {})).toContain("update.dcim.device")
  })

  it("says that a DataSource has no subscriber, beside the document", async () => {
    const { told } = await ran("asyncapi", "-d", join(root, "ormconfig.ts"))

    expect(told).toContain("the DataSource has no subscriber of changeEvents()")
  })

  it("takes title, version, prefix and the file to write", async () => {
    const out = join(folder, "events.json")
    const given = ["--title", "Inventory", "--api-version=2.1.0", "--topic-prefix", "inventory", "-o", out]

    const { code, written, told } = await ran("asyncapi", "-d", join(root, "ormconfig.ts"), ...given)

    const { info, channels } = JSON.parse(await readFile(out, "utf8")) as Record<string, Record<string, unknown>>
    expect({ code, written }).toEqual({ code: 0, written: "" })
    expect(told).toMatch(/events\.json: \d+ topics$/)
    expect(info).toMatchObject({ title: "Inventory", version: "2.1.0" })
    expect(Object.keys(channels ?? {}).every((topic) => topic.startsWith("inventory."))).toBe(true)
  })

  it.each([
    ["exports nothing.ts", "export const port = 1", "must export one DataSource, and exports none"],
    ["throws.ts", `throw new Error("no such setting")`, "cannot be loaded: no such setting"],
    ["rejects.ts", `export const source = Promise.reject(new Error("no such host"))`, "rejected: no such host"],
  ])("refuses a file that %s with 1", async (name, text, fault) => {
    const { code, told } = await ran("asyncapi", "-d", await file(name, text))

    expect(told).toContain(fault)
    expect(told).toContain("(DATA_SOURCE_NOT_LOADED)")
    expect(code).toBe(1)
  })

  it("refuses a file that is not there", async () => {
    expect(await ran("asyncapi", "-d", "ormconfg.ts")).toMatchObject({
      code: 1,
      told: "change-events: there is no file `ormconfg.ts` (DATA_SOURCE_NOT_LOADED)",
    })
  })

  it("refuses a file that it cannot write", async () => {
    const out = join(folder, "nowhere", "events.json")

    const { code, told } = await ran("asyncapi", "-d", join(root, "ormconfig.ts"), "--out", out)

    expect(told).toContain("(FILE_NOT_WRITTEN)")
    expect(code).toBe(1)
  })
})
