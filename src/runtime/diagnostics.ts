import { channel } from "node:diagnostics_channel"
import type { DiagnosticsMessages, DiagnosticsName } from "./diagnostics-messages"

/** The channels of `node:diagnostics_channel`, by which operators see what goes on. docs/observability.md has a table for each. */
export const diagnosticsChannels = {
  committed: "typeorm-change-events:committed",
  published: "typeorm-change-events:published",
  failed: "typeorm-change-events:failed",
  dropped: "typeorm-change-events:dropped",
  "dead-letter": "typeorm-change-events:dead-letter",
  relay: "typeorm-change-events:relay",
  uncaptured: "typeorm-change-events:uncaptured",
} as const satisfies Readonly<Record<DiagnosticsName, string>>

/** What of Node's `Channel` is needed to tell. Ask `hasSubscribers` before a message is made: nobody may listen, and then it is to cost nothing. */
export interface DiagnosticsChannel<Message> {
  readonly hasSubscribers: boolean
  publish(message: Message): void
}

type Channels = { readonly [Name in DiagnosticsName]: DiagnosticsChannel<DiagnosticsMessages[Name]> }

/** Held here for good: Node forgets a channel that nobody holds. What a subscriber throws, Node throws again as an uncaught exception. */
export const diagnostics: Channels = {
  committed: channel(diagnosticsChannels.committed),
  published: channel(diagnosticsChannels.published),
  failed: channel(diagnosticsChannels.failed),
  dropped: channel(diagnosticsChannels.dropped),
  "dead-letter": channel(diagnosticsChannels["dead-letter"]),
  relay: channel(diagnosticsChannels.relay),
  uncaptured: channel(diagnosticsChannels.uncaptured),
}
