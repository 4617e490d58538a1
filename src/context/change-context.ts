import { randomUUID } from "node:crypto"
import type { ChangeContextKind, EventContext } from "../events/event-context"
import { withActiveTrace } from "./active-trace"
import { contextFields, invalidContext } from "./context-fields"
import { amendScope, contextOf, currentScope, runInScope } from "./context-scope"

/**
 * Who makes the changes, and why. Any further key (user id, tenant, ticket) is kept, sent in snake_case and must be JSON-able;
 * one that is named like a secret (password, token, cookie, api key, …) is sent as `"***"`. Undefined is as if not given.
 */
export interface ChangeContext {
  /** The account's name; null for nobody. Default: the enclosing context's, else null. */
  readonly userName?: string | null | undefined
  /** A UUID. Default: a new one, also inside another context. */
  readonly requestId?: string | undefined
  /** Default `ORM`. `Unknown` cannot be opened. */
  readonly changeContext?: Exclude<ChangeContextKind, "Unknown"> | undefined
  /** More about the kind, such as a job's name. Cut at 400 characters. Default "". */
  readonly changeContextDetail?: string | undefined
  /** W3C trace context; one that is not valid is left out. Default: the enclosing context's. */
  readonly traceparent?: string | null | undefined
  readonly [key: string]: unknown
}

/**
 * Runs the function so that every change it makes, however many awaits later, carries the context. Gives what the function
 * gives.
 *
 * A context inside another is a piece of work of its own: it has its own request id, kind and detail. Who it is for stays:
 * the user's name, the trace and further keys are those of the enclosing context at this moment unless given.
 *
 * @throws ChangeEventsError `CONTEXT_INVALID` listing every fault, before the function runs.
 */
export function withChangeContext<T>(context: ChangeContext, fn: () => T): T {
  const given = contextFields(context)
  const opened: EventContext = {
    userName: null,
    ...currentChangeContext(),
    requestId: randomUUID(),
    changeContext: "ORM",
    changeContextDetail: "",
    ...given,
  }
  return runInScope({ context: Object.freeze(opened), amendments: {} }, fn)
}

/**
 * The context that a change made now would carry, or undefined outside any. A frozen snapshot: later amendments show in the
 * next one only.
 */
export function currentChangeContext(): EventContext | undefined {
  const scope = currentScope()
  return scope && withActiveTrace(contextOf(scope))
}

/** The context of a write made now. Outside any it is that of its transaction. */
export function contextOfWrite(transaction: { readonly fallbackContext: EventContext }): EventContext {
  return currentChangeContext() ?? withActiveTrace(transaction.fallbackContext)
}

/**
 * Replaces fields of the current context for the statements to come: the user, once authenticated. What is undefined stays as
 * it is. An enclosing context does not change.
 *
 * @throws ChangeEventsError `CONTEXT_INVALID` outside a context, or listing every fault.
 */
export function amendChangeContext(part: ChangeContext): void {
  const scope = currentScope()
  if (!scope) throw invalidContext(["there is none to amend here: open one with `withChangeContext` or a middleware"])
  amendScope(scope, contextFields(part))
}
