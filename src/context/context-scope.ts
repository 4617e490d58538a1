import { AsyncLocalStorage } from "node:async_hooks"
import type { EventContext } from "../events/event-context"

/** What a piece of work is known by, from its opening to its last continuation. Its nested scopes are on their own. */
export interface ContextScope {
  /** What the next statement sees: frozen, and replaced rather than changed. */
  context: EventContext
  /** What was amended by hand: it holds against what `lateFields` finds. */
  amendments: Partial<EventContext>
  /**
   * What only shows while the work goes on, such as a request's route. Asked at every statement, so it must be cheap, must not
   * throw, and gives undefined when there is nothing new.
   */
  readonly lateFields?: () => Partial<EventContext> | undefined
}

const STORAGE_KEY = Symbol.for("typeorm-change-events.context")

/** On the global object, because a process may load the package more than once: bundled, nested, or as ESM and CJS. */
const storage: AsyncLocalStorage<ContextScope> = sharedStorage()

function sharedStorage(): AsyncLocalStorage<ContextScope> {
  const owner = globalThis as typeof globalThis & { [STORAGE_KEY]?: AsyncLocalStorage<ContextScope> }
  const shared = owner[STORAGE_KEY] ?? new AsyncLocalStorage<ContextScope>()
  if (!owner[STORAGE_KEY]) Object.defineProperty(owner, STORAGE_KEY, { value: shared })
  return shared
}

/** Runs the function in the scope, and with it all it starts. */
export function runInScope<T>(scope: ContextScope, fn: () => T): T {
  return storage.run(scope, fn)
}

export function currentScope(): ContextScope | undefined {
  return storage.getStore()
}

/** The scope's context with what has shown until now. The same object each time until something new shows. */
export function contextOf(scope: ContextScope): EventContext {
  const found = scope.lateFields?.()
  if (found) scope.context = Object.freeze({ ...scope.context, ...found, ...scope.amendments })
  return scope.context
}

/** Replaces fields for the statements to come. Contexts that were read before stay as they are. */
export function amendScope(scope: ContextScope, fields: Partial<EventContext>): void {
  scope.amendments = { ...scope.amendments, ...fields }
  scope.context = Object.freeze({ ...contextOf(scope), ...fields })
}
