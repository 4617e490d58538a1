import type { EventBroker } from "./brokers/broker"
import { captureMethods, closuresOptions, relationsOptions, type CaptureOptions } from "./capture/capture-options"
import { entitiesFaults } from "./capture/entity-option-faults"
import { ChangeEventsError } from "./errors"
import { outboxFaults, type OutboxOptions } from "./outbox/outbox-options"
import { brokerEntryFaults } from "./publishing/broker-faults"
import { deliveryFaults, type DeliveryOptions } from "./publishing/delivery-options"
import type { BrokerOptions } from "./publishing/route"
import type { Logger } from "./runtime/logger"
import { isObject, nameOf, oneOf, topicPart, wholeNumber, type OptionCheck } from "./runtime/option-checks"
import { unknownKeyFaults } from "./runtime/option-faults"

/** A broker with its own topics, format and delivery. */
export interface BrokerRegistration extends BrokerOptions {
  readonly use: EventBroker
}

export type DeliveryMode = "direct" | "outbox"

export interface ChangeEventsOptions extends CaptureOptions {
  /** Who gets the events, by name. Default: nobody; more can be registered at run time. */
  readonly brokers?: Readonly<Record<string, EventBroker | BrokerRegistration>>
  /**
   * `direct`, the default: from memory after the commit, at most once across a crash. `outbox`: by the change log, which the transaction
   * itself writes and a relay reads, at least once whatever dies. An object says how every broker is delivered to, unless its own options
   * say otherwise, and the mode as `mode`.
   */
  readonly delivery?: DeliveryMode | ({ readonly mode?: DeliveryMode } & Partial<DeliveryOptions>)
  /** Where the change log is. Only with `delivery: "outbox"`. */
  readonly outbox?: OutboxOptions
  /** Where reports go: undeliverable events, uncaptured writes. Default `console`. One line a minute for each kind. */
  readonly logger?: Logger
}

const checks: Readonly<Record<keyof ChangeEventsOptions, OptionCheck>> = {
  topicPrefix: topicPart,
  app: (value, name) => (typeof value === "function" ? [] : topicPart(value, name)),
  entities: entitiesFaults,
  capture: oneOf(...captureMethods),
  softDelete: oneOf("delete", "update"),
  relations: oneOf(...relationsOptions),
  closures: oneOf(...closuresOptions),
  coalesce: oneOf("transaction", "off"),
  emitUnchanged: oneOf(true, false),
  onUncaptured: oneOf("warn", "throw", "ignore"),
  maxRowsPerStatement: wholeNumber(1, 1_000_000),
  maxEventsPerTransaction: wholeNumber(1, 100_000_000),
  maxBytesPerTransaction: wholeNumber(1, 1024 ** 4),
  preparedStatements: oneOf("auto", true, false),
  sensitiveHashKey: (value, name) =>
    typeof value === "string" && value.length >= 16 ? [] : [`${name} must be a text of at least 16 characters`],
  brokers: brokersFaults,
  delivery: deliveryModeFaults,
  outbox: outboxFaults,
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

const OUTBOX_WITHOUT_MODE = 'outbox has no effect without delivery: "outbox"'
const TRIGGERS_WITHOUT_MODE = 'capture: "triggers" needs delivery: "outbox", for triggers write into the change log'

function optionFaults(options: Readonly<Record<string, unknown>>): string[] {
  const given = Object.entries(checks).filter(([name]) => options[name] !== undefined)
  const mode = isObject(options["delivery"]) ? options["delivery"]["mode"] : options["delivery"]
  return [
    ...unknownKeyFaults(options, Object.keys(checks)),
    ...(options["outbox"] !== undefined && mode !== "outbox" ? [OUTBOX_WITHOUT_MODE] : []),
    ...(wantsTriggers(options) && mode !== "outbox" ? [TRIGGERS_WITHOUT_MODE] : []),
    ...given.flatMap(([name, check]) => check(options[name], name)),
  ]
}

/** What decorators say is known when a DataSource is used. */
function wantsTriggers({ capture, entities }: Readonly<Record<string, unknown>>): boolean {
  const entries: unknown[] = Array.isArray(entities) ? entities : []
  return [{ capture }, ...entries].some((entry) => isObject(entry) && entry["capture"] === "triggers")
}

/** The option `delivery` with its mode. */
export function deliveryMode(
  given: ChangeEventsOptions["delivery"],
): { readonly mode: DeliveryMode } & Partial<DeliveryOptions> {
  return typeof given === "string" ? { mode: given } : { mode: "direct", ...given }
}

const isMode = oneOf("direct", "outbox")

function deliveryModeFaults(value: unknown, name: string): string[] {
  if (!isObject(value)) return typeof value === "string" ? isMode(value, name) : deliveryFaults(name, value)
  const { mode, ...delivery } = value
  return [...(mode === undefined ? [] : isMode(mode, `${name}.mode`)), ...deliveryFaults(name, delivery)]
}

function brokersFaults(value: unknown, name: string): string[] {
  if (!isObject(value)) return [`${name} must be an object of brokers by name, got ${nameOf(value)}`]
  return Object.entries(value).flatMap(([broker, entry]) => brokerEntryFaults(`${name}.${broker}`, entry))
}
