import type { EventBroker } from "../brokers/broker"
import { ChangeEventsError } from "../errors"
import type { Report } from "../runtime/report"
import { registrationFaults } from "./broker-faults"
import type { Clock } from "./clock"
import { closeBroker } from "./close-broker"
import type { BrokerOptions } from "./route"

export interface NamedBroker {
  readonly name: string
  readonly broker: EventBroker
}

/** Brokers by name, whatever else is kept of each. */
export class NamedBrokers<Entry extends NamedBroker> {
  private readonly entries = new Map<string, Entry>()

  constructor(private readonly parts: { readonly clock: Clock; readonly report: Report }) {}

  get size(): number {
    return this.entries.size
  }

  all(): readonly Entry[] {
    return [...this.entries.values()]
  }

  /** @throws ChangeEventsError BROKER_INVALID (with every fault), BROKER_NAME_TAKEN */
  check(name: string, broker: EventBroker, options: BrokerOptions): void {
    checkRegistration(name, broker, options)
    if (!this.entries.has(name)) return
    const message = `a broker named ${name} is already registered: deregister it first, or take another name`
    throw new ChangeEventsError("BROKER_NAME_TAKEN", message, { details: { broker: name } })
  }

  add(entry: Entry): void {
    this.entries.set(entry.name, entry)
  }

  /** Frees the name. @throws ChangeEventsError BROKER_UNKNOWN */
  remove(name: string): Entry {
    const entry = this.entries.get(name)
    if (entry === undefined) throw this.unknown(name)
    this.entries.delete(name)
    return entry
  }

  /** Closes the broker, unless it is registered under another name too. */
  async closeUnused(entry: Entry, timeoutMs: number): Promise<void> {
    if (!this.all().some(({ broker }) => broker === entry.broker)) await this.close(entry, timeoutMs)
  }

  /** Closes every broker once, all at the same time. */
  async closeAll(timeoutMs: number): Promise<void> {
    const perBroker = new Map(this.all().map((entry) => [entry.broker, entry]))
    await Promise.all([...perBroker.values()].map((entry) => this.close(entry, timeoutMs)))
  }

  private close({ name, broker }: Entry, timeoutMs: number): Promise<void> {
    return closeBroker(broker, { name, timeoutMs, ...this.parts })
  }

  private unknown(name: string): ChangeEventsError {
    const registered = [...this.entries.keys()]
    const message = `no broker named ${name} is registered, there is ${registered.join(", ") || "none"}`
    return new ChangeEventsError("BROKER_UNKNOWN", message, { details: { broker: name, registered } })
  }
}

function checkRegistration(name: unknown, broker: unknown, options: unknown): void {
  const isName = typeof name === "string" && name !== ""
  const faults = registrationFaults(isName ? `brokers.${name}` : "broker", broker, options)
  if (!isName) faults.unshift("the name of a broker must be a string that is not empty")
  if (faults.length === 0) return
  throw new ChangeEventsError("BROKER_INVALID", faults.join("; "), { details: { faults } })
}
