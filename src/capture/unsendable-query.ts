import type { DriverQueryClass, ProtocolConnection } from "./driver-query"

/**
 * The driver's Query, which also minds its name when a value of it cannot be sent, as an object that holds itself. The driver closes the
 * statement then, and goes on to take it for prepared: the next one of that name would be refused.
 */
export function unsendableQuery(Query: DriverQueryClass): DriverQueryClass {
  return class UnsendableQuery extends Query {
    private isSending = false
    private isUnsendable = false

    override submit(connection: ProtocolConnection): Error | null {
      this.isSending = true
      try {
        return super.submit(connection)
      } finally {
        this.isSending = false
      }
    }

    override handleError(error: unknown, connection: ProtocolConnection): void {
      this.isUnsendable = this.isSending
      super.handleError(error, connection)
    }

    override handleReadyForQuery(connection: ProtocolConnection): void {
      if (this.isUnsendable && this.name !== undefined) {
        delete connection.parsedStatements[this.name]
        delete connection.submittedNamedStatements?.[this.name]
      }
      super.handleReadyForQuery(connection)
    }
  }
}
