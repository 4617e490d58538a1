import type { EventBroker } from "./brokers/broker"
import type { CaptureOptions } from "./capture/capture-options"
import { ChangeEventsError } from "./errors"
import { brokerEntryFaults } from "./publishing/broker-faults"
import { deliveryFaults, type DeliveryOptions } from "./publishing/delivery-options"
import type { BrokerOptions } from "./publishing/route"
import type { Logger } from "./runtime/logger"
import { unknownKeyFaults } from "./runtime/option-faults"

/** A broker with its own topics, format and delivery. */
export interface BrokerRegistration extends BrokerOptions {
  readonly use: EventBroker
}

export interface ChangeEventsOptions extends CaptureOptions {
  /** Who gets the events, by name. Default: nobody; more can be registered at run time. */
  readonly brokers?: Readonly<Record<string, EventBroker | BrokerRegistration>>
  /** How every broker is delivered to, unless its own options say otherwise. */
  readonly delivery?: Partial<DeliveryOptions>
  /** Where reports go: undeliverable events, uncaptured writes. Default `console`. One line a minute for each kind. */
  readonly logger?: Logger
}

type Check = (value: unknown, name: string) => string[]

const checks: Readonly<Record<keyof ChangeEventsOptions, Check>> = {
  topicPrefix: topicPart,
  app: (value, name) => (typeof value === "function" ? [] : topicPart(value, name)),
  entities: entitiesFaults,
  softDelete: oneOf("delete", "update"),
  emitUnchanged: oneOf(true, false),
  onUncaptured: oneOf("warn", "throw", "ignore"),
  maxRowsPerStatement: wholeNumber(1, 1_000_000),
  maxEventsPerTransaction: wholeNumber(1, 100_000_000),
  preparedStatements: oneOf("auto", true, false),
  sensitiveHashKey: (value, name) =>
    typeof value === "string" && value.length >= 16 ? [] : [`${name} must be a text of at least 16 characters`],
  brokers: brokersFaults,
  delivery: (value, name) => deliveryFaults(name, value),
  logger: (value, name) =>
    isObject(value) && typeof value["warn"] === "function" && typeof value["error"] === "function"
      ? []
      : [`${name} must have the functions warn and error`],
}

/**
 * Checks every option at once.
 *
 * @throws ChangeEventsError OPTIONS_INVALID, with all faults in `details.faults`
 */
export function checkOptions(options: unknown): asserts options is ChangeEventsOptions {
  const faults = isObject(options) ? optionFaults(options) : [`the options must be an object, got ${nameOf(options)}`]
  if (faults.length === 0) return
  throw new ChangeEventsError("OPTIONS_INVALID", `changeEvents() was given wrong options:\n- ${faults.join("\n- ")}`, {
    details: { faults },
  })
}

function optionFaults(options: Readonly<Record<string, unknown>>): string[] {
  const given = Object.entries(checks).filter(([name]) => options[name] !== undefined)
  return [
    ...unknownKeyFaults(options, Object.keys(checks)),
    ...given.flatMap(([name, check]) => check(options[name], name)),
  ]
}

function topicPart(value: unknown, name: string): string[] {
  if (typeof value !== "string") return [`${name} must be a string, got ${nameOf(value)}`]
  return /^[^\s.*?[\]]+(\.[^\s.*?[\]]+)*$/.test(value)
    ? []
    : [`${name} must be words joined by dots, without spaces or wildcards`]
}

function oneOf(...allowed: readonly (string | boolean)[]): Check {
  const list = allowed.map((value) => JSON.stringify(value)).join(", ")
  return (value, name) =>
    allowed.includes(value as string) ? [] : [`${name} must be one of ${list}, got ${nameOf(value)}`]
}

function wholeNumber(least: number, most: number): Check {
  return (value, name) => {
    const fits = Number.isInteger(value) && (value as number) >= least && (value as number) <= most
    return fits ? [] : [`${name} must be a whole number from ${least} to ${most}, got ${nameOf(value)}`]
  }
}

function brokersFaults(value: unknown, name: string): string[] {
  if (!isObject(value)) return [`${name} must be an object of brokers by name, got ${nameOf(value)}`]
  return Object.entries(value).flatMap(([broker, entry]) => brokerEntryFaults(`${name}.${broker}`, entry))
}

const entityKeys = ["entity", "app", "model", "ignore", "enabled", "softDelete", "sensitive"]

function entitiesFaults(value: unknown, name: string): string[] {
  if (!Array.isArray(value)) return [`${name} must be an array of entities, got ${nameOf(value)}`]
  return value.flatMap((entry, index) => entityFaults(entry, `${name}[${index}]`))
}

function entityFaults(entry: unknown, path: string): string[] {
  if (isEntity(entry)) return []
  if (!isObject(entry))
    return [`${path} must be an entity, or an object with \`entity\` and its options, got ${nameOf(entry)}`]
  const faults = unknownKeyFaults(entry, entityKeys, path)
  if (!isEntity(entry["entity"])) faults.push(`${path}.entity must be a class, an EntitySchema or an entity's name`)
  if (entry["ignore"] !== undefined && !isTexts(entry["ignore"]))
    faults.push(`${path}.ignore must be an array of property names`)
  if (entry["softDelete"] !== undefined)
    faults.push(...oneOf("delete", "update")(entry["softDelete"], `${path}.softDelete`))
  if (entry["enabled"] !== undefined) faults.push(...oneOf(true, false)(entry["enabled"], `${path}.enabled`))
  for (const part of ["app", "model"]) {
    if (entry[part] !== undefined) faults.push(...topicPart(entry[part], `${path}.${part}`))
  }
  return [...faults, ...sensitiveFaults(entry["sensitive"], `${path}.sensitive`)]
}

function sensitiveFaults(value: unknown, path: string): string[] {
  if (value === undefined) return []
  if (!isObject(value)) return [`${path} must be an object of modes by property`]
  return Object.entries(value).flatMap(([property, mode]) => oneOf("omit", "mask", "hash")(mode, `${path}.${property}`))
}

function isEntity(value: unknown): boolean {
  return typeof value === "function" || typeof value === "string" || (isObject(value) && isObject(value["options"]))
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string")
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** What the value is, without the value: an option may hold a secret. */
function nameOf(value: unknown): string {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "number" || typeof value === "boolean") return String(value)
  return typeof value === "object" ? "an object" : `a ${typeof value}`
}
