import { asError, type ChangeEventsError } from "../errors"
import { consoleLogger, type Logger } from "./logger"

/** Tells the operators what could not be thrown at anybody. Never throws itself. */
export type Report = (error: ChangeEventsError) => void

export interface ReporterOptions {
  readonly logger?: Logger
  /** The same `code` and `about` is logged once in this time, in milliseconds; the rest is counted. Default 60 000. */
  readonly repeatAfterMs?: number
}

/** A report that logs one line a `code` and `details.about` a minute, so that a broken broker does not fill the disk. */
export function createReporter(options: ReporterOptions = {}): Report {
  const logger = options.logger ?? consoleLogger
  const repeatAfterMs = options.repeatAfterMs ?? 60_000
  const seen = new Map<string, { loggedAt: number; suppressed: number }>()

  return (error) => {
    const key = `${error.code} ${String(error.details["about"] ?? "")}`
    const entry = seen.get(key)
    if (entry && Date.now() - entry.loggedAt < repeatAfterMs) {
      entry.suppressed++
      return
    }
    if (seen.size > 1_000) seen.clear()
    seen.set(key, { loggedAt: Date.now(), suppressed: 0 })
    write(logger, error, entry?.suppressed ?? 0)
  }
}

function write(logger: Logger, error: ChangeEventsError, suppressed: number): void {
  try {
    const cause = error.cause === undefined ? "" : ` (${asError(error.cause).message})`
    const repeated = suppressed > 0 ? ` [and ${suppressed} more like it]` : ""
    logger.warn(`typeorm-change-events: ${error.code}: ${error.message}${cause}${repeated}`)
  } catch {
    // A logger that throws must not reach the request; there is nobody left to tell.
  }
}
