import { contextOfWrite } from "../context/change-context"
import type { EventContext } from "../events/event-context"
import type { SqlStatement } from "../events/transactional-sink"
import { splitStatements } from "./transaction-commands"
import type { TransactionLog } from "./transaction-log"
import { hidesWrite } from "./written-table"

const WRITE = /^\s*(INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE)\b/i
const READ = /^\s*SELECT\b/i
const COMMENTS = /^(\s*\/\*[\s\S]*?\*\/|\s*--[^\n]*\n)+/

/**
 * Tells the triggers of one connection's database who writes: by a setting of the transaction, in front of its first write and of each that
 * another context makes. A setting of the session would stay with a connection that a pooler gives to somebody else.
 */
export class TriggerContext {
  private told: string | undefined

  constructor(private readonly log: TransactionLog) {}

  /** What must go before a text that we did not make. */
  beforeText(text: string): readonly SqlStatement[] {
    const bare = text.replace(COMMENTS, "")
    if (WRITE.test(bare) || hidesWrite(bare)) {
      if (splitStatements(text).length > 1) return this.beforeSeveral()
      return this.before(contextOfWrite(this.log))
    }
    // It may end the transaction, or roll it back to where nothing was told yet.
    if (!READ.test(bare)) this.forget()
    return []
  }

  before(context: EventContext): readonly SqlStatement[] {
    const text = JSON.stringify(context)
    if (this.told === text) return []
    // Outside a transaction it holds for the one statement that goes with it.
    this.told = this.log.isOpen ? text : undefined
    return [
      {
        name: "change_events_context",
        text: "SELECT set_config('change_events.context', $1, true)",
        values: [text],
      },
    ]
  }

  forget(): void {
    this.told = undefined
  }

  /** Several statements in one text cannot stand behind others in one write, nor be told anything outside a transaction. */
  private beforeSeveral(): readonly SqlStatement[] {
    const { log } = this
    const statements = log.isOpen ? this.before(contextOfWrite(log)) : []
    this.forget()
    return statements
  }
}
