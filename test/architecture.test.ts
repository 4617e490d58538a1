import { join } from "node:path"
import { houseFaults } from "./architecture/house-faults"
import { parseSourceFile, readSourceFiles } from "./architecture/source-file"

const files = readSourceFiles(join(__dirname, "..", "src"))

function faultsOf(sources: Readonly<Record<string, string>>): string[] {
  return houseFaults(Object.entries(sources).map(([path, text]) => parseSourceFile(path, text)))
}

describe("the house", () => {
  it("is found", () => {
    expect(files.map((file) => file.path)).toEqual(expect.arrayContaining(["errors.ts", "events/topic.ts"]))
  })

  it("keeps to its floors", () => {
    expect(houseFaults(files)).toEqual([])
  })
})

describe("the plan of the house", () => {
  it("lets a file import its own room and lower floors", () => {
    const faults = faultsOf({
      "capture/row-image.ts":
        'import { EntityMetadata } from "typeorm"\nimport { jsonValue } from "../runtime/json-value"',
      "capture/change-subscriber.ts": 'import { rowImage } from "./row-image"\nexport { sink } from "../events/sink"',
      "brokers/redis/redis-client.ts": 'import type { Redis } from "ioredis"',
      "change-events.ts": 'import { options } from "./options"',
      "testing/index.ts": 'export { changeEvents } from "../index"',
    })

    expect(faults).toEqual([])
  })

  it.each([
    ["import { record } from '../formats/record'", "imports formats/record.ts, which is above it"],
    ["import type { record } from '../formats/record'", "imports formats/record.ts, which is above it"],
    ["import '../index'", "imports index.ts, which is above it"],
    ["export { record } from '../formats/record'", "imports formats/record.ts, which is above it"],
    ["const format = await import('../formats/record')", "imports formats/record.ts, which is above it"],
    ["const format = require('../formats/record')", "imports formats/record.ts, which is above it"],
    ["import format = require('../formats/record')", "imports formats/record.ts, which is above it"],
    ["type Format = import('../formats/record').Format", "imports formats/record.ts, which is above it"],
    ["import type { DataSource } from 'typeorm'", "imports typeorm, which its floor must not know"],
    ["const { DataSource } = require('typeorm/browser')", "imports typeorm, which its floor must not know"],
    ["const path = require.resolve('ioredis')", "imports ioredis, which only brokers/redis.ts may"],
    ["export * from './message'", "exports everything of ./message"],
    ["export * as message from './message'", "exports everything of ./message"],
  ])("forbids %j on the floor of events", (source, fault) => {
    expect(faultsOf({ "events/topic.ts": source })).toEqual([`events/topic.ts ${fault}`])
  })

  it.each([
    ["brokers/redis.ts", "import { record } from '../formats/record'", "imports its neighbour formats/record.ts"],
    ["capture/capture.ts", "import '../triggers/trigger-sql'", "imports triggers/trigger-sql.ts, which is above it"],
    ["capture/capture.ts", "import '../cli/relay'", "imports cli/relay.ts, which is above it"],
    ["cli/relay.ts", "import '../testing/index'", "imports its neighbour testing/index.ts"],
    ["index.ts", "import './testing/index'", "imports testing/index.ts, which is above it"],
    ["errors.ts", "import './runtime/report'", "imports runtime/report.ts, which is above it"],
    ["context/http-request.ts", "import 'express'", "imports express, which only context/express.ts may"],
    [
      "brokers/streams.ts",
      "import type { Logger } from 'winston'",
      "imports winston, which only brokers/syslog.ts may",
    ],
    ["publishing/utils.ts", "", "is a drawer: `utils` says nothing of what is in it"],
    ["publishing/DirectSink.ts", "", "is not named in kebab-case"],
    ["attic/box.ts", "", "has no floor"],
  ])("forbids %s to hold %j", (path, source, fault) => {
    expect(faultsOf({ [path]: source })).toEqual([`${path} ${fault}`])
  })

  it("forbids files of more than 300 lines", () => {
    const lines = (count: number): string => "export const end = 1\n".padStart(20 + count, "\n")

    expect(faultsOf({ "events/topic.ts": lines(300) })).toEqual([])
    expect(faultsOf({ "events/topic.ts": lines(301) })).toEqual(["events/topic.ts has 301 lines, more than 300"])
  })

  it("forbids rings of values, not of types", () => {
    const ring = (keyword: string): string[] =>
      faultsOf({
        "events/topic.ts": 'import { sink } from "./sink"',
        "events/sink.ts": 'import { type Message, message } from "./message"',
        "events/message.ts": `${keyword} { topic } from "./topic"`,
      })

    expect(ring("import")).toEqual(["events/topic.ts → events/sink.ts → events/message.ts → events/topic.ts is a ring"])
    expect(ring("import type")).toEqual([])
  })

  it("reads neither comments nor texts", () => {
    expect(faultsOf({ "events/topic.ts": "// import '../index'\nconst text = `import '../index'`" })).toEqual([])
  })
})
