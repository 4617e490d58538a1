import type { EventMessage } from "../../events/message"
import { visibleText } from "./visible-text"

type Attributes = Readonly<Record<string, unknown>>

/** The part of the record format that is shown. */
interface RecordBody {
  readonly context: Attributes
  readonly action: "create" | "update" | "delete"
  readonly added: Attributes
  readonly removed: Attributes
}

const COLOURS = { bold: 1, red: 31, green: 32, yellow: 33, grey: 90 } as const
const ACTION_COLOURS = { create: "green", update: "yellow", delete: "red" } as const

/** Longer values are cut, in characters: this is for reading. */
const MAX_VALUE_LENGTH = 500

type Paint = (colour: keyof typeof COLOURS, text: string) => string

/**
 * The message for somebody who reads along: a line that says what happened to what, and by whom, then a line for each old and
 * each new value. A body that is not of the record format is shown as it is.
 */
export function diffText(message: EventMessage, inColour: boolean): string {
  const paint: Paint = (colour, text) => (inColour ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text)
  const record = recordBody(message.body)
  if (record === undefined) return `${headline(message, paint)}\n  ${shortened(message.body)}\n`
  const heading = `${paint(ACTION_COLOURS[record.action], record.action)} ${headline(message, paint, record.context)}`
  return [heading, ...changeLines(record, paint)].join("\n") + "\n"
}

function headline(message: EventMessage, paint: Paint, context: Attributes = {}): string {
  const parts = [paint("bold", visibleText(message.topic)), visibleText(message.key)]
  if (typeof context["user_name"] === "string") parts.push(`by ${shortened(context["user_name"])}`)
  const from = [context["change_context"], context["change_context_detail"]].filter(
    (part) => typeof part === "string" && part !== "",
  )
  if (from.length > 0) parts.push(paint("grey", `(${shortened(from.join(": "))})`))
  return parts.filter((part) => part !== "").join(" ")
}

function changeLines({ added, removed }: RecordBody, paint: Paint): string[] {
  const names = new Set([...Object.keys(removed), ...Object.keys(added)])
  return [...names].flatMap((name) => {
    const lines: string[] = []
    if (Object.hasOwn(removed, name)) lines.push(paint("red", `  - ${line(name, removed[name])}`))
    if (Object.hasOwn(added, name)) lines.push(paint("green", `  + ${line(name, added[name])}`))
    return lines
  })
}

function line(name: string, value: unknown): string {
  return `${visibleText(name)}: ${shortened(JSON.stringify(value))}`
}

function shortened(text: string): string {
  return visibleText(text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text)
}

/** The body as the record format has it, or undefined for any other. */
function recordBody(body: string): RecordBody | undefined {
  const parsed = attributes(parsedJson(body))
  const differences = attributes(parsed?.["differences"])
  if (parsed === undefined || differences === undefined) return undefined
  const action = parsed["prechange"] === null ? "create" : parsed["postchange"] === null ? "delete" : "update"
  return {
    action,
    context: attributes(parsed["context"]) ?? {},
    added: attributes(differences["added"]) ?? {},
    removed: attributes(differences["removed"]) ?? {},
  }
}

function parsedJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // Not every format is JSON; such a body is shown as it is.
    return undefined
  }
}

function attributes(value: unknown): Attributes | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Attributes) : undefined
}
