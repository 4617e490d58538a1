/** `rejected`: the broker refused it for good. `held`: it waits behind a rejected one of its key. `requeued`: it is to be sent again. */
export type DeadLetterState = "rejected" | "held" | "requeued"

export interface NewDeadLetter {
  readonly rowId: bigint
  readonly eventId: string
  readonly topic: string | undefined
  readonly key: string
  readonly state: Exclude<DeadLetterState, "requeued">
  /** The error's code. */
  readonly code: string
  /** Its message, never a payload of ours. */
  readonly error: string
  readonly attempts: number
}

/** An event that a broker did not take, as it is shown. */
export interface DeadLetter {
  readonly id: string
  readonly broker: string
  readonly eventId: string
  readonly topic: string | null
  readonly key: string
  readonly state: DeadLetterState
  readonly code: string
  readonly error: string
  readonly attempts: number
  /** When the change was logged. */
  readonly writtenAt: Date
  readonly failedAt: Date
}

/** Which dead letters are meant: all that fit. */
export interface DeadLetterChoice {
  readonly ids?: readonly string[]
  readonly broker?: string
  readonly key?: string
}
