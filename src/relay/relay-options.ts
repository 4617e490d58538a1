import type { CursorStart } from "./cursor-registry"

export interface RelayOptions {
  /** How long a relay that says nothing any more holds its cursors, in milliseconds. Default 10 000. */
  readonly leaseMs?: number
  /** How often an idle log is asked: `least` after something was delivered, twice as long each time up to `most`. Default 5 and 1 000 ms. */
  readonly pollMs?: { readonly least: number; readonly most: number }
  /** Where a broker begins that has no cursor yet. Default "beginning": with all that the log still holds. */
  readonly startAt?: CursorStart
  /** Whether it holds a connection on which it hears of commits. Default true. */
  readonly listen?: boolean
  /** Whether it removes, once an hour, what is older than the option `retentionDays`. Default true. */
  readonly prune?: boolean
}

export const relayDefaults: Required<RelayOptions> = {
  leaseMs: 10_000,
  pollMs: { least: 5, most: 1_000 },
  startAt: "beginning",
  listen: true,
  prune: true,
}
