import type { ChangeEvent } from "../../events/change-event"
import { actorFields } from "../notification/changed-actors"
import { ROLE_ASSIGNMENT, type ChangedResource } from "../notification/changed-resource"
import type { Activity } from "./activity"
import type { Identify } from "./identifier"
import { roleAssignmentFields } from "./role-assignment"
import { actionOf, typeUri } from "./taxonomy"

export interface ActivityOptions {
  readonly service: string
  readonly identify: Identify
  readonly typeURIs?: Readonly<Record<string, string>> | undefined
}

/** A committed change: its outcome is always success. */
export function changeActivity(event: ChangeEvent, resource: ChangedResource, options: ActivityOptions): Activity {
  const { type, operation, otherName } = resource
  const typeURI = typeUri(type, options.typeURIs)
  const common = {
    eventType: `${options.service}.${type}.${operation}`,
    ...(otherName === undefined ? {} : { otherName: `${options.service}.${otherName}` }),
    action: actionOf(operation, type),
    outcome: "success",
  } as const
  if (type === ROLE_ASSIGNMENT) {
    const further = roleAssignmentFields(event.postchange ?? event.prechange)
    return { ...common, target: { id: options.identify(event.key), typeURI }, further }
  }
  const further = { resource_info: resource.id, ...actorFields(resource.actors) }
  return { ...common, target: { id: resource.id, typeURI }, further }
}
