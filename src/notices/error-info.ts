import { types } from "node:util"
import { redactedText } from "../runtime/redacted-text"

/** What a failed job says of its error. */
export interface ErrorInfo {
  readonly exc_type: string
  readonly exc_message: string
  readonly traceback?: string
}

/** What was thrown, whatever it is, without what looks like a secret. Never throws. */
export function errorInfo(thrown: unknown): ErrorInfo {
  try {
    return isErrorLike(thrown) ? ofError(thrown) : ofOther(thrown)
  } catch {
    return { exc_type: typeof thrown, exc_message: "[Unreadable]" }
  }
}

/** Only what kind of error it was, for jobs that handle what nobody may see. */
export function hiddenErrorInfo(thrown: unknown): ErrorInfo {
  return { exc_type: errorInfo(thrown).exc_type, exc_message: "(redacted)" }
}

function ofError(error: Error): ErrorInfo {
  const { stack } = error
  return {
    exc_type: typeOf(error),
    exc_message: redactedText(String(error.message)),
    ...(typeof stack === "string" && { traceback: redactedText(stack) }),
  }
}

/** A class that did not set `name` still has one. */
function typeOf(error: Error): string {
  const { name } = error
  return typeof name === "string" && name !== "" && name !== "Error" ? name : error.constructor.name || "Error"
}

function ofOther(thrown: unknown): ErrorInfo {
  if (typeof thrown !== "object" || thrown === null) {
    return { exc_type: thrown === null ? "null" : typeof thrown, exc_message: redactedText(String(thrown)) }
  }
  const text: unknown = JSON.stringify(thrown)
  return { exc_type: thrown.constructor?.name || "object", exc_message: redactedText(String(text)) }
}

function isErrorLike(thrown: unknown): thrown is Error {
  return types.isNativeError(thrown) || thrown instanceof Error
}
