/** An event, as the channels tell of it. Never more than this: no key, no body, no value of a row. */
export interface ObservedEvent {
  readonly id: string
  readonly topic: string
  /** W3C trace context of the write that made it, if it had one and the broker's format sends it along. */
  readonly traceparent?: string
}

/** Of `typeorm-change-events:committed`: the server has confirmed a COMMIT, or an own event was taken. */
export interface CommittedMessage {
  /** What becomes of the events now: they are delivered from memory, or stand in the change log. */
  readonly delivery: "direct" | "outbox"
  /** Events of the transaction. An update in which nothing differs after all is among them. */
  readonly count: number
  /** What they take in memory, in bytes as they estimate themselves. */
  readonly bytes: number
  /** How many events each topic has. */
  readonly topics: Readonly<Record<string, number>>
  /** Rows that the server wrote into the change log by itself, for statements of more than `maxRowsPerStatement` rows. What triggers wrote is not counted. */
  readonly serverRows: number
}

/** A call of a broker and what it was about. */
interface BrokerCallMessage {
  readonly broker: string
  readonly delivery: "direct" | "relay"
  /** Of which shard of the broker the relay leads the cursor, from 0 on. Always 0 with direct delivery. */
  readonly shard: number
  /** Number of `events`. */
  readonly count: number
  readonly events: readonly ObservedEvent[]
  /** How long the whole call took, in milliseconds. */
  readonly durationMs: number
}

/** Of `typeorm-change-events:published`: what a broker accepted in one call. */
export type PublishedMessage = BrokerCallMessage

/** Of `typeorm-change-events:failed`: what a broker refused in one call, or could not be reached for; one message for each outcome. */
export interface FailedMessage extends BrokerCallMessage {
  /** The error's own code, such as `ECONNREFUSED` or `PUBLISH_TIMEOUT`; `PUBLISH_FAILED` where it has none. */
  readonly code: string
  /** Calls that count as attempts at these events, this one included. An outage's calls do not count. */
  readonly attempt: number
  /** False: the events are given up (direct delivery) or become dead letters (relay). */
  readonly willRetry: boolean
  /** Whether nobody was there to judge the events. */
  readonly isOutage: boolean
}

/** Of `typeorm-change-events:dropped`: events that a broker will not get, with direct delivery. */
export interface DroppedMessage {
  readonly broker: string
  /** `given-up`: refused for good. `unreadable`: not to be read or formatted. `queue-full`. `closed`: they waited when the broker was closed. */
  readonly reason: "given-up" | "unreadable" | "queue-full" | "closed"
  readonly count: number
  /** The events, where there is one; empty where there are many. */
  readonly events: readonly ObservedEvent[]
}

/** Of `typeorm-change-events:dead-letter`: an event that a relay has put aside, in the database. */
export interface DeadLetterMessage {
  readonly broker: string
  readonly shard: number
  readonly event: { readonly id: string; readonly topic: string | null }
  /** `rejected`: the broker refused it for good. `held`: it waits behind a rejected event of its row. */
  readonly state: "rejected" | "held"
  readonly code: string
  /** Calls that the broker refused it in. */
  readonly attempts: number
}

/** Of `typeorm-change-events:relay`. */
export type RelayMessage =
  | { readonly change: "started" | "stopped"; readonly relay: string }
  /** It leads a shard of a broker from now on (`gained`), has let go of it (`released`), or its lease ended too early (`lost`). */
  | {
      readonly change: "gained" | "released" | "lost"
      readonly relay: string
      readonly broker: string
      readonly shard: number
    }
  | CursorMovedMessage
  /** It waits for the database. Without a broker: it cannot claim or renew anything. */
  | {
      readonly change: "failed"
      readonly relay: string
      readonly broker: string | null
      readonly shard: number | null
      readonly code: string
    }

/** A broker's place in the log was saved. */
export interface CursorMovedMessage {
  readonly change: "moved"
  readonly relay: string
  readonly broker: string
  readonly shard: number
  /** Events since the last move. */
  readonly delivered: number
  readonly deadLettered: number
  /** How long ago the newest delivered row was written, by this process's clock, in milliseconds. */
  readonly lagMs: number
}

/** Of `typeorm-change-events:uncaptured`: a write that was noticed and made no events, whatever `onUncaptured` says. */
export interface UncapturedMessage {
  /** `unknown` where the text does not tell. */
  readonly table: string
  /** 0 where the server did not tell. */
  readonly rows: number
  readonly reason: string
}

/** The messages by the channel's name, without the prefix. */
export interface DiagnosticsMessages {
  readonly committed: CommittedMessage
  readonly published: PublishedMessage
  readonly failed: FailedMessage
  readonly dropped: DroppedMessage
  readonly "dead-letter": DeadLetterMessage
  readonly relay: RelayMessage
  readonly uncaptured: UncapturedMessage
}

export type DiagnosticsName = keyof DiagnosticsMessages
