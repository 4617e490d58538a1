import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run, type ExitCode } from "../../../src/cli/run"

const root = join(__dirname, "../../..")

interface Outcome {
  readonly code: ExitCode
  readonly written: string
  readonly told: string
}

async function generated(...args: readonly string[]): Promise<Outcome> {
  const written: string[] = []
  const told: string[] = []
  const code = await run(["triggers:generate", ...args], {
    write: async (text) => void written.push(text),
    tell: (line) => void told.push(line),
  })
  return { code, written: written.join(""), told: told.join("\n") }
}

describe("change-events triggers:generate", () => {
  let folder: string

  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "change-events-"))))
  afterEach(() => rm(folder, { recursive: true }))

  /** A file that exports a DataSource with these options of changeEvents(). */
  async function ormconfig(options: string, entities = "fixtureEntities"): Promise<string> {
    const path = join(folder, "ormconfig.ts")
    const at = (file: string): string => JSON.stringify(join(root, file))
    await writeFile(
      path,
      `import { Column, DataSource, Entity, JoinTable, ManyToMany, PrimaryColumn, ViewColumn, ViewEntity } from ${at("node_modules/typeorm")}
import { CaptureChanges, changeEvents, Sensitive } from ${at("src")}
import { fixtureEntities } from ${at("fixtures/fixture-entities")}
import { fixtureOptions } from ${at("fixtures/fixture-options")}
@Entity()
class Keyless { @Column({ type: "text" }) name!: string }
@Entity()
class SecretKey { @Sensitive("hash") @PrimaryColumn({ type: "text" }) name!: string }
@Entity()
class KeyRing { @PrimaryColumn({ type: "text" }) name!: string; @ManyToMany(() => SecretKey) @JoinTable() keys!: SecretKey[] }
@CaptureChanges({ capture: "triggers" })
@ViewEntity({ expression: "SELECT 1 AS name" })
class Glance { @ViewColumn() name!: string }
const logger = { warn: () => undefined, error: () => undefined }
const changes = changeEvents({ logger, ${options} })
export const source = new DataSource({ ...fixtureOptions, entities: [${entities}], subscribers: [changes.subscriber] })
void [Keyless, SecretKey, KeyRing, Glance]
`,
    )
    return path
  }

  it("writes a migration of the entities that say so, without a database", async () => {
    const config = await ormconfig(
      `delivery: "outbox", entities: ["Site", { entity: "Device", capture: "triggers" }]`,
      "...fixtureEntities",
    )

    const { code, written, told } = await generated("-d", config)

    expect({ code, told }).toEqual({ code: 0, told: "" })
    expect(written).toMatch(
      /^export class CaptureTriggers(\d{13}) implements MigrationInterface \{\n {2}readonly name = "CaptureTriggers\1"$/m,
    )
    expect(written).toContain(`CREATE OR REPLACE FUNCTION "change_events"."capture dcim.device"()`)
    expect(written).not.toContain(`"dcim"."site"`)
  })

  it("takes a folder, which it makes, and a name", async () => {
    const config = await ormconfig(`delivery: "outbox", capture: "triggers"`, "...fixtureEntities")
    const out = join(folder, "new/migrations")

    const { code, written, told } = await generated("-d", config, "-o", out, "--name", "CaptureAll")

    expect({ code, written }).toEqual({ code: 0, written: "" })
    expect(told).toContain("triggers of Device, Device.tags, Interface, Site, Job, Tag")
    const [file = ""] = await readdir(out)
    expect(file).toMatch(/^\d{13}-capture-all\.ts$/)
    expect(await readFile(join(out, file), "utf8")).toContain("export class CaptureAll1")
  })

  it("names all that triggers cannot capture at once", async () => {
    const entries = ["Devise", "SecretKey", "Keyless", "KeyRing"].map(
      (name) => `{ entity: "${name}", capture: "triggers" }`,
    )
    const config = await ormconfig(
      `delivery: "outbox", sensitiveHashKey: "0123456789abcdef", entities: ["Glance", ${entries.join()}]`,
      "...fixtureEntities, Glance, SecretKey, Keyless, KeyRing",
    )

    const { code, written, told } = await generated("-d", config)

    expect({ code, written }).toEqual({ code: 1, written: "" })
    expect(told.replace(" (TRIGGERS_IMPOSSIBLE)", "").split("\n- ").sort()).toEqual(
      [
        "change-events: triggers cannot be made:",
        "Devise is no entity of this DataSource, did you mean `Device`?",
        "Glance is a view, which has no rows of its own: capture the tables that it shows",
        "SecretKey: its key (name) is sensitive, and a trigger has no secret to hide it with",
        'KeyRing.keys lists a sensitive key, which a trigger cannot hide: leave it out (`relations: "off"`, or `ignore`)',
        "Keyless has no primary key, by which its rows are told apart",
      ].sort(),
    )
  })

  it.each([
    [
      "nothing asks for triggers",
      `delivery: "outbox"`,
      'nothing has the option `capture: "triggers"` (TRIGGERS_IMPOSSIBLE)',
    ],
    ["the delivery is direct", `capture: "triggers"`, `capture: "triggers" needs delivery: "outbox"`],
  ])("fails where %s", async (_, options, fault) => {
    const { code, told } = await generated("-d", await ormconfig(options, "...fixtureEntities"))

    expect(code).toBe(1)
    expect(told).toContain(fault)
  })

  it("fails for a DataSource without the subscriber", async () => {
    const { code, told } = await generated("-d", join(root, "ormconfig.ts"))

    expect(code).toBe(1)
    expect(told).toContain("(DATA_SOURCE_NOT_ATTACHED)")
  })
})
