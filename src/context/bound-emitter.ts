import { runInScope, type ContextScope } from "./context-scope"

type Emit = (this: object, ...parameters: unknown[]) => unknown

/** The scope each bound emitter runs its listeners in. */
const scopes = new WeakMap<object, ContextScope>()

/**
 * Runs the listeners of a request or response in the scope. Node runs those of `end` or `finish` in the context of the
 * connection, which is older than the request: what an upload parser or an access log does there would have no context.
 * Binding again replaces the scope. What is no emitter is left alone.
 */
export function bindEmitter(emitter: unknown, scope: ContextScope): void {
  if (!isEmitter(emitter)) return
  const isBound = scopes.has(emitter)
  scopes.set(emitter, scope)
  if (isBound) return
  const { emit } = emitter
  const boundEmit: Emit = function (...parameters) {
    return runInScope(scopes.get(emitter) as ContextScope, () => emit.apply(this, parameters))
  }
  Object.defineProperty(emitter, "emit", { value: boundEmit, configurable: true, writable: true })
}

/** The scope the emitter was last bound to. */
export function boundScope(emitter: object): ContextScope | undefined {
  return scopes.get(emitter)
}

function isEmitter(value: unknown): value is { readonly emit: Emit } {
  return typeof value === "object" && value !== null && "emit" in value && typeof value.emit === "function"
}
