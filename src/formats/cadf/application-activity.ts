import type { ApplicationEvent } from "../../events/change-event"
import { compileTopicPattern, topicFilter, type TopicMatcher } from "../../events/topic-pattern"
import { ROLE_ASSIGNMENT } from "../notification/changed-resource"
import { propertiesOf, toldOutcome, type Outcome } from "../notification/told-outcome"
import { plainText, type ContextUser } from "../parts/context-user"
import type { Activity } from "./activity"
import type { ActivityOptions } from "./change-activity"
import { toldReason } from "./reason"
import { roleAssignmentFields } from "./role-assignment"
import { ACCOUNT_USER, actionOf, typeUri } from "./taxonomy"

export interface ApplicationActivityOptions extends ActivityOptions {
  /** Patterns of the topics that tell of a sign-in. */
  readonly authenticate: readonly string[]
}

type ActivityReader = (event: ApplicationEvent) => Activity

const isPasswordChange = compileTopicPattern("*user.change_password")
const isRoleAssignment = compileTopicPattern("*role_assignment.[cd]*ed")

/**
 * What an application's own event tells: a sign-in, a changed password, a role assignment that was tried, or something of the
 * application's, whose payload is attached. A payload's `outcome` and `reason` are those of the activity.
 */
export function applicationActivities(options: ApplicationActivityOptions): ActivityReader {
  const readers: readonly (readonly [TopicMatcher, (event: ApplicationEvent, options: ActivityOptions) => Activity])[] =
    [
      [options.authenticate.length > 0 ? topicFilter({ include: options.authenticate }) : () => false, authentication],
      [isPasswordChange, passwordChange],
      [isRoleAssignment, triedAssignment],
    ]
  return (event) => {
    const reader = readers.find(([matches]) => matches(event.topic))
    return (reader ? reader[1] : ownActivity)(event, options)
  }
}

/** Whoever signs in is the initiator, whom the request does not know yet. */
function authentication(event: ApplicationEvent, { service, identify }: ActivityOptions): Activity {
  const user = toldUser(event.payload)
  return {
    eventType: `${service}.authenticate`,
    action: "authenticate",
    ...toldResult(event),
    target: { id: identify(`authenticate:${user?.id ?? user?.name ?? event.id}`), typeURI: ACCOUNT_USER },
    user,
  }
}

function passwordChange(event: ApplicationEvent, { service, typeURIs, identify }: ActivityOptions): Activity {
  const id = toldUser(event.payload)?.id
  return {
    eventType: `${service}.user.updated`,
    otherName: `${service}.user.update`,
    action: actionOf("updated", "user"),
    ...toldResult(event),
    target: { id: id ?? identify(event.id), typeURI: typeUri("user", typeURIs) },
    ...(id === undefined ? {} : { further: { resource_info: id } }),
  }
}

function triedAssignment(event: ApplicationEvent, { service, typeURIs, identify }: ActivityOptions): Activity {
  const operation = event.topic.slice(event.topic.lastIndexOf(".") + 1)
  const further = roleAssignmentFields(dataOf(event.payload))
  return {
    eventType: `${service}.${ROLE_ASSIGNMENT}.${operation}`,
    action: actionOf(operation, ROLE_ASSIGNMENT),
    ...toldResult(event),
    target: { id: identify(JSON.stringify(further)), typeURI: typeUri(ROLE_ASSIGNMENT, typeURIs) },
    further,
  }
}

function ownActivity(event: ApplicationEvent, { identify }: ActivityOptions): Activity {
  return {
    eventType: event.topic,
    action: "unknown",
    ...toldResult(event),
    target: { id: identify(event.topic), typeURI: "unknown" },
    attachments: [{ typeURI: "mime:application/json", content: event.payload ?? null, name: "payload" }],
  }
}

function toldResult({ topic, payload }: ApplicationEvent): Pick<Activity, "outcome" | "reason"> {
  const outcome: Outcome = /(failed|failure)$/.test(topic) ? "failure" : toldOutcome(payload)
  return { outcome, reason: toldReason(payload) }
}

/** The user of a payload `{ data }`, or of one that is the user itself. */
function toldUser(payload: unknown): ContextUser | undefined {
  const data = dataOf(payload)
  const id = plainText(data["id"] ?? data["userId"] ?? data["user_id"])
  const name = plainText(data["userName"] ?? data["user_name"] ?? data["username"] ?? data["name"])
  if (id === undefined && name === undefined) return undefined
  return { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) }
}

function dataOf(payload: unknown): Readonly<Record<string, unknown>> {
  const properties = propertiesOf(payload)
  return properties["data"] === undefined ? properties : propertiesOf(properties["data"])
}
