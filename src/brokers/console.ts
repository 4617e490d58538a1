import type { Writable } from "node:stream"
import { ChangeEventsError } from "../errors"
import type { EventBroker } from "./broker"
import { diffText } from "./console/diff-text"
import { jsonLine } from "./console/json-line"
import { checkOptions } from "./parts/check-options"
import { closedError } from "./parts/closed-error"
import { objectWith, oneOf, trueOrFalse } from "./parts/option-checks"

export interface ConsoleBrokerOptions {
  /** Where to write; it stays open at `close()`. Default `process.stdout`. */
  readonly stream?: Writable & { readonly isTTY?: boolean }
  /**
   * `diff` for people: old and new value of each attribute. `lines` for programs: a JSON object a line, `{"topic": …}` with the
   * members of the body. Default `diff` on a terminal or when `colour` is true, else `lines`.
   */
  readonly style?: "diff" | "lines"
  /** Whether a diff has colours. Default on a terminal, unless the environment variable NO_COLOR is set. */
  readonly colour?: boolean
}

/** More than this must not be waiting in a stream nobody reads, in bytes. */
const MAX_WAITING_BYTES = 1024 * 1024

/**
 * Writes messages to a stream: for trying things out, and for what collects the output of a process. Accepted means that the
 * stream has taken it.
 *
 * @throws OPTIONS_INVALID. Its publish rejects with BROKER_UNAVAILABLE (the stream is broken, or nobody reads it) and BROKER_CLOSED.
 */
export function consoleBroker(options: ConsoleBrokerOptions = {}): Required<Pick<EventBroker, "publish" | "close">> {
  checkOptions({ factory: "consoleBroker", options, checks })
  const { stream = process.stdout } = options
  const { colour = stream.isTTY === true && !process.env["NO_COLOR"] } = options
  const { style = stream.isTTY === true || options.colour === true ? "diff" : "lines" } = options
  // A broken pipe comes back through the write; without a listener it would end the process as well.
  const ignore = (): void => undefined
  stream.on("error", ignore)
  let closed = false

  return {
    async publish(message) {
      if (closed) throw closedError("consoleBroker")
      await write(stream, style === "diff" ? diffText(message, colour) : jsonLine(message))
    },
    async close() {
      closed = true
      // The stream emits the error of a write a little after the write has told it.
      setImmediate(() => stream.off("error", ignore))
    },
  }
}

const checks = {
  stream: objectWith("write", "on", "off"),
  style: oneOf(["diff", "lines"]),
  colour: trueOrFalse,
}

function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.writableLength > MAX_WAITING_BYTES) return reject(unavailable("nobody reads the stream"))
    stream.write(text, (error) => (error ? reject(unavailable(error.message, error)) : resolve()))
  })
}

function unavailable(reason: string, cause?: Error): ChangeEventsError {
  return new ChangeEventsError("BROKER_UNAVAILABLE", `consoleBroker could not write: ${reason}`, { cause })
}
