import { asError, ChangeEventsError } from "../errors"
import type { EventContext } from "../events/event-context"
import type { Report } from "../runtime/report"
import { contextFields, cutDetail } from "./context-fields"
import { routePattern, type RoutedRequest } from "./route-pattern"

export interface LateFieldsOptions {
  readonly request: RoutedRequest
  readonly userName: () => unknown
  readonly further: () => unknown
  readonly report: Report
}

/** What a request looked like when a statement last asked. */
interface Glance {
  /** The route's identity, or where an unrouted request is. After the last route it keeps the one it had. */
  readonly place: unknown
  readonly userName: string | null
  readonly further: object
}

/**
 * What of a context shows only once the request is under way: its route, who is signed in, further keys. The function it
 * gives is asked at every statement: it gives undefined as long as all are as they were, so that the snapshot is kept, and it
 * never throws: what goes wrong is reported.
 */
export function lateFields(options: LateFieldsOptions): () => Partial<EventContext> | undefined {
  let seen: Glance = { place: undefined, userName: null, further: {} }
  let isAsking = false

  return () => {
    // A `userName` that runs a statement of its own would ask for itself.
    if (isAsking) return undefined
    isAsking = true
    const now = glance(options, seen.userName)
    isAsking = false
    if (now.place === seen.place && now.userName === seen.userName && sameValues(now.further, seen.further))
      return undefined
    seen = now
    return fieldsOf(now, options)
  }
}

/** Runs what a user wrote for us. Reports what it throws, and gives the fallback instead. */
export function guarded<T>(report: Report, about: string, fallback: T, fn: () => T): T {
  try {
    return fn()
  } catch (thrown) {
    const cause = asError(thrown)
    report(new ChangeEventsError("CONTEXT_INVALID", `\`${about}\` of a request failed`, { cause, details: { about } }))
    return fallback
  }
}

/** A name that was known stays: after a logout the rest of the request is still that user's. */
function glance({ request, userName, further, report }: LateFieldsOptions, knownName: string | null): Glance {
  return {
    place: request.route ?? request.baseUrl,
    userName: guarded(report, "userName", null, () => asName(userName())) ?? knownName,
    further: guarded(report, "context", {}, () => asKeys(further())),
  }
}

function fieldsOf({ userName, further }: Glance, { request, report }: LateFieldsOptions): Partial<EventContext> {
  return {
    changeContextDetail: cutDetail(routePattern(request)),
    ...guarded(report, "context", {}, () => contextFields(further)),
    ...(userName === null ? {} : { userName }),
  }
}

function asName(given: unknown): string | null {
  if (given === undefined || given === null || typeof given === "string") return given ?? null
  throw unexpected(given, "a text or null")
}

function asKeys(given: unknown): object {
  if (typeof given === "object" && given !== null && !isPromise(given)) return given
  if (given === undefined || given === null) return {}
  throw unexpected(given, "an object")
}

function unexpected(given: unknown, expected: string): TypeError {
  // Nobody waits for it, and a rejection that nobody handles would end the process.
  if (isPromise(given)) Promise.resolve(given).catch(() => undefined)
  return new TypeError(`it gave ${isPromise(given) ? "a promise" : `a ${typeof given}`} instead of ${expected}`)
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"
}

function sameValues(left: object, right: object): boolean {
  if (left === right) return true
  const entries = Object.entries(left)
  const other = right as Readonly<Record<string, unknown>>
  return entries.length === Object.keys(right).length && entries.every(([key, value]) => other[key] === value)
}
