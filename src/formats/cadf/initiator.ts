import type { EventContext } from "../../events/event-context"
import { requestIds } from "../notification/request-ids"
import { contextUser, plainText, type ContextUser } from "../parts/context-user"
import { userIdentifier } from "./identifier"
import { ACCOUNT_USER } from "./taxonomy"

/**
 * Who did it, and from where; undefined when neither is known. Somebody who is not known, but whose address is, has
 * `anonymousId`. Ids of a project and a domain are the context's further keys `projectId` and `domainId`.
 */
export function initiatorOf(
  context: EventContext,
  user: ContextUser | undefined = contextUser(context),
  anonymousId: string = "",
): object | undefined {
  const host = hostOf(context)
  if (!user && !host) return undefined
  const id = user?.id ?? user?.name
  return withoutUndefined({
    id: id === undefined ? anonymousId : userIdentifier(id),
    typeURI: ACCOUNT_USER,
    host,
    user_id: user?.id,
    project_id: plainText(context["projectId"]),
    domain_id: plainText(context["domainId"]),
    ...requestIds(context),
    name: user?.name,
    username: user?.name,
  })
}

function hostOf(context: EventContext): object | undefined {
  const address = plainText(context["clientAddress"])
  const agent = plainText(context["userAgent"])
  return address === undefined && agent === undefined ? undefined : withoutUndefined({ address, agent })
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
