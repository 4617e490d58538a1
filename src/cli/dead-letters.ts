import type { DeadLetterChoice } from "../relay/dead-letter"
import { DeadLetters } from "../relay/dead-letters"
import { isBigintText } from "../runtime/bigint-text"
import type { Command, CommandOptions, GivenOptions } from "./command"
import { dataSourceOption, withOwnChangeLog } from "./open-change-log"
import type { Output } from "./output"
import { invalidCommand } from "./read-arguments"
import { textTable } from "./text-table"
import { checkBroker } from "./unknown-broker"

const brokerOption = { type: "string", value: "<name>", help: "those of this broker" } as const
const choiceOptions: CommandOptions = {
  "data-source": dataSourceOption,
  id: { type: "string", value: "<ids>", help: "these, with commas between them" },
  broker: brokerOption,
  key: { type: "string", value: "<key>", help: "those of this row, such as `dcim.device:7`" },
  all: { type: "boolean", help: "every one there is" },
}

export const listDeadLettersCommand: Command = {
  summary: "Lists what brokers refused, in the order of the log",
  options: {
    "data-source": dataSourceOption,
    broker: brokerOption,
    after: { type: "string", value: "<id>", help: "behind this one: a hundred are listed at a time" },
    json: { type: "boolean", help: "as JSON, for machines" },
  },
  run: list,
}

export const showDeadLetterCommand: Command = {
  summary: "Shows one dead letter as JSON, with what the log holds of it",
  options: { "data-source": dataSourceOption, id: { type: "string", value: "<id>", help: "which" } },
  run: show,
}

export const requeueDeadLettersCommand: Command = {
  summary: "Has dead letters sent again, each with what waits behind it",
  options: choiceOptions,
  run: (given, output) => change(given, output, "requeue", "to be sent again, by the relay that leads their broker"),
}

export const dropDeadLettersCommand: Command = {
  summary: "Gives dead letters up, and has what waits behind them sent",
  options: choiceOptions,
  run: (given, output) => change(given, output, "drop", "given up"),
}

async function list(given: GivenOptions, output: Output): Promise<void> {
  const after = text(given["after"])
  if (after !== undefined && !isBigintText(after)) throw invalidCommand(["`--after` must be the id of a dead letter"])
  await withOwnChangeLog(given, async ({ query, tables }) => {
    const broker = text(given["broker"])
    await checkBroker(query, tables, broker)
    const letters = await new DeadLetters(query, tables).list({ ...(broker && { broker }), ...(after && { after }) })
    if (given["json"]) return output.write(`${JSON.stringify(letters, undefined, 2)}\n`)
    const rows = letters.map(({ id, broker: name, state, key, topic, attempts, failedAt, code, error }) => {
      return [id, name, state, key, topic ?? "-", String(attempts), failedAt.toISOString(), `${code} ${error}`]
    })
    await output.write(
      textTable([["ID", "BROKER", "STATE", "KEY", "TOPIC", "ATTEMPTS", "FAILED AT", "ERROR"], ...rows]),
    )
  })
}

async function show(given: GivenOptions, output: Output): Promise<void> {
  const id = text(given["id"])
  if (id === undefined) throw invalidCommand(["`--id` is missing"])
  await withOwnChangeLog(given, async ({ query, tables }) => {
    await output.write(`${JSON.stringify(await new DeadLetters(query, tables).show(id), undefined, 2)}\n`)
  })
}

async function change(given: GivenOptions, output: Output, how: "requeue" | "drop", done: string): Promise<void> {
  const choice = choiceOf(given)
  await withOwnChangeLog(given, async ({ query, tables }) => {
    await checkBroker(query, tables, choice.broker)
    const count = await new DeadLetters(query, tables)[how](choice)
    output.tell(`${count} dead ${count === 1 ? "letter" : "letters"} ${done}`)
  })
}

/** Nothing is chosen by forgetting an option. */
function choiceOf(given: GivenOptions): DeadLetterChoice {
  const [id, broker, key] = [text(given["id"]), text(given["broker"]), text(given["key"])]
  const isChosen = id !== undefined || broker !== undefined || key !== undefined
  if (isChosen === (given["all"] === true)) throw invalidCommand(["which? `--id`, `--broker`, `--key`, or `--all`"])
  const ids = id?.split(",").map((each) => each.trim())
  if (ids && !ids.every(isBigintText))
    throw invalidCommand(["`--id` must be ids of dead letters, with commas between them"])
  return { ...(ids && { ids }), ...(broker !== undefined && { broker }), ...(key !== undefined && { key }) }
}

function text(given: string | true | undefined): string | undefined {
  return typeof given === "string" ? given : undefined
}
