import type { ChangeEvent } from "../../events/change-event"
import { oneOf, topicPart } from "../../runtime/option-checks"
import { aFunction, eachOf, listOfTexts, text, type FormatChecks } from "../parts/format-options"

export const notificationPriorities = ["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "AUDIT", "SAMPLE"] as const

export type NotificationPriority = (typeof notificationPriorities)[number]

/** What a notification says of the service that sends it, and how rows become its resources. */
export interface NotificationOptions {
  /** What event types and the publisher's id begin with. Default `identity`. */
  readonly service?: string
  /** The host in `publisher_id`. Default: this machine's name. */
  readonly host?: string
  /**
   * The resource type of a changed row, always a singular noun. Default: the model, but `role_assignment` for the model
   * `roleassignment`.
   */
  readonly resourceType?: (event: ChangeEvent) => string
  /** Default `INFO`. */
  readonly priority?: NotificationPriority
  /** Resource types whose updates are not notified, such as `trust`. Default: none. */
  readonly immutable?: readonly string[]
  /**
   * For a resource type, its properties that list others, and the type of those: `{ group: { members: "user" } }` tells of the
   * user who was added or removed. Default: none.
   */
  readonly actors?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /**
   * Patterns of event types that are not sent, such as `identity.user.*`. An outcome may follow: `identity.authenticate.failure`,
   * or `failed`, which means the same.
   */
  readonly optOut?: readonly string[]
}

export const notificationChecks = {
  service: topicPart,
  host: text,
  resourceType: aFunction,
  priority: oneOf(...notificationPriorities),
  immutable: listOfTexts,
  actors: eachOf(eachOf(text)),
  optOut: listOfTexts,
} satisfies FormatChecks
