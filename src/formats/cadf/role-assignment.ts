import { propertiesOf } from "../notification/told-outcome"
import { plainText } from "../parts/context-user"

/** Keystone's fields of a role assignment: to whom, where, and which role. Each is absent when it is not known. */
export interface RoleAssignmentFields {
  readonly project?: string
  readonly domain?: string
  readonly user?: string
  readonly group?: string
  readonly inherited_to_projects: boolean
  readonly role?: string
}

/** Reads them from the row of an assignment, or from a payload: `projectId`, `project_id` and `project` are the same. */
export function roleAssignmentFields(source: unknown): RoleAssignmentFields {
  const values = propertiesOf(source)
  const named = (name: string): Readonly<Record<string, string>> => {
    const id = plainText(values[`${name}Id`] ?? values[`${name}_id`] ?? values[name])
    return id === undefined ? {} : { [name]: id }
  }
  const inherited = values["inherited"] ?? values["inheritedToProjects"] ?? values["inherited_to_projects"]
  return {
    ...named("project"),
    ...named("domain"),
    ...named("user"),
    ...named("group"),
    inherited_to_projects: inherited === true,
    ...named("role"),
  }
}
