import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createTestDatabase } from "../../servers/test-database"
import { installPackage, publishingFaults, type InstalledPackage } from "./installed-package"
import { codeBlocks, readmeBlocks, repositoryText } from "./code-blocks"
import { exports as entries, typesVersions } from "../../../package.json"

/** The entry points that hold code, as a user writes them. */
const entryPoints = Object.keys(entries)
  .filter((path) => path !== "./package.json")
  .map((path) => path.replace(/^\./, "typeorm-change-events"))

/** The pages whose TypeScript is compiled, each block as a file of its own. */
const compiledPages = [
  "README.md",
  ...["options", "brokers", "formats", "schemas", "notices", "observability"].map((name) => `docs/${name}.md`),
]

const INSTALL_TIMEOUT_MS = 180_000

let installed: InstalledPackage

beforeAll(async () => {
  installed = await installPackage()
}, INSTALL_TIMEOUT_MS)
afterAll(() => installed?.remove())

/** What a program finds, which prints it as JSON. */
async function found(name: string, program: string): Promise<unknown> {
  return JSON.parse(await installed.run(name, program))
}

describe("the tarball", () => {
  it("holds what was built and what explains it, and nothing else", () => {
    const others = installed.files.filter((path) => !/^(dist|docs)\//.test(path))

    expect(others).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"])
    expect(installed.files.filter((path) => /\.(js|d\.ts|mjs|d\.mts|md)$/.test(path) === false)).toEqual([
      "LICENSE",
      "package.json",
    ])
  })

  it("holds every file that `exports` names", () => {
    const named = JSON.stringify(entries).match(/(?<=\.\/)dist\/[^"]+/g) ?? []

    expect(named.length).toBe(4 * entryPoints.length)
    expect(installed.files).toEqual(expect.arrayContaining(named))
  })

  it("names the types of each entry point for compilers that do not read `exports`, too", () => {
    const older = Object.entries(typesVersions["*"]).map(([path, [file]]) => [`./${path}`, file])

    expect(older).toEqual(
      Object.entries(entries).flatMap(([path, entry]) =>
        path === "." || typeof entry === "string" ? [] : [[path, entry.require.types]],
      ),
    )
  })

  it("is what publint asks for", async () => {
    expect(await publishingFaults(installed.tarball)).toContain("All good!")
  })
})

describe("an entry point", () => {
  it.each(entryPoints)("%s gives the same to require and to import", async (entryPoint) => {
    const program = `
      import { createRequire } from "node:module"
      import * as imported from ${JSON.stringify(entryPoint)}
      const required = createRequire(import.meta.url)(${JSON.stringify(entryPoint)})
      const names = Object.keys(required)
      const same = names.filter((name) => required[name] === imported[name])
      console.log(JSON.stringify({ names, same, imported: Object.keys(imported) }))
    `

    const { names, same, imported } = (await found("same.mjs", program)) as Record<string, string[]>
    expect(names?.length).toBeGreaterThan(0)
    expect(same).toEqual(names)
    expect([...(imported ?? [])].sort()).toEqual([...(names ?? [])].sort())
  })

  it("is all that can be imported", async () => {
    const internals = ["brokers/parts/within", "context/context-scope", "capture/capture", "dist/index.js"]
    const program = `
      const codes = ${JSON.stringify(internals)}.map((path) => {
        try { require("typeorm-change-events/" + path) } catch (error) { return error.code }
      })
      console.log(JSON.stringify(codes))
    `

    expect(await found("internals.cjs", program)).toEqual(internals.map(() => "ERR_PACKAGE_PATH_NOT_EXPORTED"))
  })
})

it("has one change context, however it is loaded", async () => {
  const program = `
    import { createRequire } from "node:module"
    import { withChangeContext } from "typeorm-change-events"
    const { currentChangeContext } = createRequire(import.meta.url)("typeorm-change-events")
    console.log(JSON.stringify(withChangeContext({ userName: "alice" }, () => currentChangeContext().userName)))
  `

  expect(await found("context.mjs", program)).toBe("alice")
})

describe("without the optional packages", () => {
  it.each([
    ["brokers/redis", `redisBroker({ url: "redis://localhost:6379" })`, "ioredis"],
    ["brokers/redis-stream", `redisStreamBroker({ url: "redis://localhost:6379" })`, "ioredis"],
    ["brokers/syslog", `syslogBroker({ url: "udp://localhost:514" })`, "winston"],
    ["otel", "instrumentChangeEvents()", "@opentelemetry/api"],
  ])("the entry point %s loads, and %s names what is missing", async (entry, call, missing) => {
    const program = `
      const entry = require("typeorm-change-events/${entry}")
      try {
        entry.${call}
      } catch ({ code, message, details }) {
        console.log(JSON.stringify({ code, message, package: details.package }))
      }
    `

    expect(await found("missing.cjs", program)).toEqual({
      code: "BROKER_CLIENT_MISSING",
      message: expect.stringContaining(`npm install ${missing}`),
      package: missing,
    })
  })

  it("a strict TypeScript service compiles, as CommonJS and as an ES module, and so do the examples of the docs", async () => {
    const examples = compiledPages.map((page) => codeBlocks(repositoryText(page), "ts"))
    const files = examples.flat().map((text, index) => [`example-${index + 1}.mts`, text])

    const messages = await installed.compile("consumer", {
      ...Object.fromEntries(files),
      "consumer.cts": repositoryText("fixtures/consumer/consumer.mts"),
    })

    expect(examples.map(({ length }) => length > 0)).toEqual(compiledPages.map(() => true))
    expect(messages).toBe("")
  })
})

describe("the command change-events", () => {
  const program = (file: string, folder = "."): string => `
    const { spawnSync } = require("node:child_process")
    const command = require("node:path").resolve("node_modules/.bin/change-events")
    const options = { cwd: ${JSON.stringify(folder)}, encoding: "utf8" }
    const { status, stdout, stderr } = spawnSync(command, ["asyncapi", "-d", ${JSON.stringify(file)}], options)
    const topics = status === 0 ? Object.keys(JSON.parse(stdout).channels) : []
    console.log(JSON.stringify({ status, topics, told: stderr }))
  `

  /** It would not end by itself, and its database is not there. */
  const dataSource = (load: string): string => `
    ${load}
    const Device = new EntitySchema({ name: "Device", columns: { id: { type: "int", primary: true } } })
    const changes = changeEvents({ topicPrefix: "inventory", app: "dcim" })
    setInterval(() => undefined, 1000)
    const source = { type: "postgres", url: "postgresql://127.0.0.1:1/none", entities: [Device] }
  `

  async function described(name: string, text: string): Promise<unknown> {
    await writeFile(join(installed.folder, name), text)
    return found("command.cjs", program(name))
  }

  const topics = [
    ...["create", "update", "delete"].map((action) => `inventory.${action}.dcim.device`),
    ...["login", "login_failed", "logout", "change_password"].map((name) => `inventory.users.user.${name}`),
    "inventory.admin.user.change_password",
    ...["started", "completed"].map((name) => `inventory.jobs.job.${name}`),
    ...["approved", "denied", "canceled"].map((name) => `inventory.jobs.approval.${name}`),
  ]

  it("describes the topics of a DataSource in CommonJS, without its database", async () => {
    const load = `const { DataSource, EntitySchema } = require("typeorm")
      const { changeEvents } = require("typeorm-change-events")`
    const exported = "exports.source = new DataSource({ ...source, subscribers: [changes.subscriber] })"

    expect(await described("source.cjs", dataSource(load) + exported)).toEqual({ status: 0, topics, told: "" })
  })

  it("describes those of an ES module that exports a promise, attached later", async () => {
    const load = `import { DataSource, EntitySchema } from "typeorm"
      import { changeEvents } from "typeorm-change-events"`
    const exported = `
      const made = new DataSource(source)
      changes.attach(made)
      export default Promise.resolve(made)`

    expect(await described("source.mjs", dataSource(load) + exported)).toEqual({ status: 0, topics, told: "" })
  })

  it("reads TypeScript with the loader that is installed where the file lies", async () => {
    const repository = join(__dirname, "../../..")

    expect(await found("command.cjs", program("ormconfig.ts", repository))).toEqual({
      status: 0,
      topics: expect.arrayContaining(["update.dcim.device"]) as string[],
      told: expect.stringContaining("has no subscriber") as string,
    })
  })

  it("names the way out where the loader leaves out what decorators know of types", async () => {
    const repository = join(__dirname, "../../..")

    expect(await found("command.cjs", program("fixtures/untyped-columns.ts", repository))).toMatchObject({
      status: 1,
      told: expect.stringContaining("name the `type` of each column") as string,
    })
  })

  it("names the way out where there is none", async () => {
    expect(await described("source.ts", "export const source = 1")).toEqual({
      status: 1,
      topics: [],
      told: expect.stringMatching(/npm install --save-dev tsx .*\(TYPESCRIPT_UNSUPPORTED\)/) as string,
    })
  })
})

it("runs the quick start of the README, which prints what the README says", async () => {
  const [install, program, command, output] = readmeBlocks("Quick start")
  const database = await createTestDatabase(18)

  const printed = await installed.run("quick-start.mjs", program ?? "", { DATABASE_URL: database.url })

  await database.drop()
  expect(install).toMatch(/^npm install typeorm-change-events typeorm pg$/m)
  expect(command).toContain("node quick-start.mjs")
  expect(printed).toBe(output)
})
