import type { Outcome } from "../notification/told-outcome"
import type { Reason } from "./reason"

/** What a CADF event tells, whatever it was made of. */
export interface Activity {
  readonly eventType: string
  /** One more name by which it can be opted out. */
  readonly otherName?: string
  readonly action: string
  readonly outcome: Outcome
  readonly target: { readonly id: string; readonly typeURI: string }
  /** Who did it, where the event itself knows better than its context: a sign-in has no user before it succeeds. */
  readonly user?: { readonly id?: string; readonly name?: string } | undefined
  readonly reason?: Reason | undefined
  readonly attachments?: readonly Attachment[]
  /** What stands beside the keys of CADF. */
  readonly further?: object
}

export interface Attachment {
  readonly typeURI: string
  readonly content: unknown
  readonly name: string
}
