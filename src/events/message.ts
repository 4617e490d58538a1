/** What a broker sees, and all it sees. */
export interface EventMessage {
  /** The event's id: the same at every retry, for consumers that must not act twice. */
  readonly id: string
  readonly topic: string
  /** Events of one key reach a broker in order; for brokers that partition. */
  readonly key: string
  readonly occurredAt: Date
  /** Such as `application/json`. */
  readonly contentType: string
  /** What the body has no place for. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
