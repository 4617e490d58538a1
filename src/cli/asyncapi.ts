import { writeFile } from "node:fs/promises"
import { asError, ChangeEventsError } from "../errors"
import { topicPart } from "../runtime/option-checks"
import { asyncApiDocument } from "../schemas/async-api"
import { buildMetadata, captureOptionsOf } from "../schemas/describe-data-source"
import { describedNotices } from "../schemas/described-notices"
import { describedEntities } from "../schemas/described-entity"
import type { Command, GivenOptions } from "./command"
import { loadDataSource } from "./load-data-source"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"

/** `change-events asyncapi`: no database is asked. */
export const asyncApiCommand: Command = {
  summary: "Writes an AsyncAPI 3 document of every topic, with JSON Schemas from the entities",
  options: {
    "data-source": {
      type: "string",
      short: "d",
      value: "<file>",
      help: "TypeScript or JavaScript that exports a DataSource",
    },
    out: { type: "string", short: "o", value: "<file>", help: "where to write; standard output otherwise" },
    title: { type: "string", value: "<text>", help: 'title of the document; "Change events" otherwise' },
    "api-version": { type: "string", value: "<text>", help: 'version of the document; "1.0.0" otherwise' },
    "topic-prefix": { type: "string", value: "<text>", help: "in place of that of changeEvents()" },
  },
  run: writeAsyncApi,
}

async function writeAsyncApi(given: GivenOptions, output: Output): Promise<void> {
  const faults = argumentFaults(given)
  if (faults.length > 0) throw invalidCommand(faults)
  const dataSource = await loadDataSource(String(given["data-source"]))
  await buildMetadata(dataSource)
  const options = captureOptionsOf(dataSource)
  if (!options)
    output.tell("the DataSource has no subscriber of changeEvents(): described as if its options were the defaults")
  const topicPrefix = text(given["topic-prefix"]) ?? options?.topicPrefix
  const info = { title: text(given["title"]) ?? "Change events", version: text(given["api-version"]) ?? "1.0.0" }
  const entities = describedEntities(dataSource, { ...options, topicPrefix })
  const document = asyncApiDocument(entities, info, describedNotices(topicPrefix))
  const json = `${JSON.stringify(document, undefined, 2)}\n`
  const out = text(given["out"])
  if (out === undefined) return output.write(json)
  await writeOut(out, json)
  output.tell(`${out}: ${Object.keys(document.channels).length} topics`)
}

function argumentFaults(given: GivenOptions): string[] {
  const prefix = given["topic-prefix"]
  return [
    ...(given["data-source"] === undefined ? ["`--data-source` is missing: `-d ormconfig.ts`"] : []),
    ...(prefix === undefined ? [] : topicPart(prefix, "`--topic-prefix`")),
  ]
}

async function writeOut(path: string, content: string): Promise<void> {
  await writeFile(path, content).catch((thrown: unknown) => {
    const cause = asError(thrown)
    throw new ChangeEventsError("FILE_NOT_WRITTEN", `\`${path}\` cannot be written: ${cause.message}`, { cause })
  })
}

function text(given: string | true | undefined): string | undefined {
  return typeof given === "string" ? given : undefined
}
