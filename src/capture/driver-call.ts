import type { QueryConfig } from "./driver-query"

// A call to the driver's `query`, as anybody may make it: a text or an object, with values or without, with a callback or for a promise.

type Callback = (error: unknown, answer?: unknown) => void

/** Whether the call wants its answer by a callback. A cursor or stream has its own way. */
export function isCalledBack(args: unknown[]): boolean {
  return textOf(args[0]) !== undefined && callbackOf(args) !== undefined
}

/** Gives the answer to the callback of the call. */
export function asCalled(args: unknown[], answering: Promise<unknown>): undefined {
  const callback = callbackOf(args) as Callback
  // What a callback throws is its own affair, as it is with the driver.
  const throwLater = (error: unknown): void =>
    void setImmediate(() => {
      throw error
    })
  void answering
    .then(
      (answer) => callback(null, answer),
      (error: unknown) => callback(error),
    )
    .catch(throwLater)
}

function callbackOf(args: unknown[]): Callback | undefined {
  const [config] = args
  const own = typeof config === "object" ? (config as { callback?: unknown } | null)?.callback : undefined
  return [args.at(-1), own].find((each) => typeof each === "function") as Callback | undefined
}

/** The call to `query` as one object, without its callback. */
export function configOf([config, values]: unknown[]): QueryConfig {
  const given = typeof config === "string" ? { text: config } : { ...(config as QueryConfig), callback: undefined }
  return Array.isArray(values) ? { ...given, values: values as unknown[] } : given
}

/** The SQL of a call to `query`; undefined for a cursor or stream, which runs itself. */
export function textOf(config: unknown): string | undefined {
  if (typeof config === "string") return config
  const { submit, text } = (config ?? {}) as { submit?: unknown; text?: unknown }
  return typeof submit !== "function" && typeof text === "string" ? text : undefined
}
