import type { EntityMetadata } from "typeorm"
import { statementName } from "../runtime/statement-name"

/** A longer text (many values, a long list of keys) is planned each time: kept, it would cost megabytes of every connection. */
const MAX_TEXT_LENGTH = 8_192
/** Texts that are remembered to be seen again. */
const MAX_CANDIDATES = 2_000
/** Prepared statements stay on every connection of the pool until it closes, so there is an end to them. */
const MAX_PREPARED = 200
const USES_BEFORE_PREPARING = 2
/** A longer text sets no search path. */
const MAX_PATH_LENGTH = 500

/** What a plan fails with that was made before somebody changed a column, or exchanged a type: "cached plan must not change result type". */
const STALE_PLAN = "0A000"
const DATATYPE_MISMATCH = "42804"
const UNDEFINED_OBJECT = "42704"
const UNDEFINED_FUNCTION = "42883"
const INTERNAL_ERROR = "XX000"

/** What the names of statements are mixed up by. */
const UNKNOWN_STATEMENT = "26000"
const DUPLICATE_STATEMENT = "42P05"

/**
 * Names for the statements that come again. Planning a captured statement costs more than running it (unprepared 430 µs,
 * prepared 107 µs on Postgres 15, where the bare one takes 168 and 84).
 */
export class PreparedStatements {
  private readonly uses = new Map<string, number>()
  private readonly names = new Map<string, string>()
  private path: string | undefined
  private hasPaths = false

  constructor(private enabled: boolean) {}

  get isEnabled(): boolean {
    return this.enabled
  }

  /** The name to send the text under, or undefined to send it as it is. */
  nameOf(text: string, metadata: Pick<EntityMetadata, "columns">): string | undefined {
    if (!this.enabled || text.length > MAX_TEXT_LENGTH) return undefined
    if (this.hasPaths && metadata.columns.some(({ type }) => type === "enum")) return undefined
    const name = this.names.get(text)
    if (name !== undefined || this.names.size >= MAX_PREPARED) return name || undefined
    const uses = (this.uses.get(text) ?? 0) + 1
    if (uses > USES_BEFORE_PREPARING) return this.prepare(text)
    if (this.uses.size >= MAX_CANDIDATES) this.uses.clear()
    this.uses.set(text, uses)
    return undefined
  }

  /**
   * Whether the failure is the prepared statement's and not the statement's own: a column changed its type since (then this text is not
   * prepared again), or a pooler gave the connection to another server process (then none is).
   */
  isOwnFailure(text: string, name: string | undefined, error: unknown): boolean {
    if (this.areMixedUp(error)) return true
    if (name === undefined || !isOfStalePlan(error)) return false
    this.names.set(text, "")
    return true
  }

  /**
   * A text was sent that may have set the search path. Where there are several, a table may have an enum of its own in each schema, and a
   * statement that was prepared in one is refused in another.
   */
  sent(text: string): void {
    if (this.hasPaths || text.length > MAX_PATH_LENGTH || !/\bsearch_path\b/i.test(text)) return
    this.hasPaths = this.path !== undefined && this.path !== text
    this.path = text
  }

  /** Whether a pooler mixes names up, or somebody has removed them, by what a statement failed with: then none is given any more. */
  areMixedUp(error: unknown): boolean {
    const { code, cause } = Object(error) as { code?: unknown; cause?: { code?: unknown } }
    const isMixedUp = [code, cause?.code].some((each) => each === UNKNOWN_STATEMENT || each === DUPLICATE_STATEMENT)
    if (isMixedUp) this.disable()
    return isMixedUp
  }

  disable(): void {
    this.enabled = false
  }

  private prepare(text: string): string {
    const name = statementName(text)
    this.uses.delete(text)
    this.names.set(text, name)
    return name
  }
}

function isOfStalePlan(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (code === STALE_PLAN) return String(message).includes("cached plan")
  if (code === INTERNAL_ERROR) return String(message).includes("cache lookup failed")
  return code === DATATYPE_MISMATCH || code === UNDEFINED_OBJECT || code === UNDEFINED_FUNCTION
}
