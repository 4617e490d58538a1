import { Redis } from "ioredis"

/** What a project uses, as far as billing asks. */
export interface ProjectUsage {
  /** Users with at least one role in it. */
  readonly members: number
  readonly roleAssignments: number
}

export interface UsageConsumer {
  /** By project. */
  usage(): ReadonlyMap<string, ProjectUsage>
  /** How many notifications came, by event type. */
  received(): ReadonlyMap<string, number>
  /** Resolves when everything that Redis was given before has arrived here. */
  caughtUp(): Promise<void>
  stop(): void
}

/** The fields of a notification that count here. */
interface Notification {
  readonly event_type: string
  readonly message_id: string
  readonly payload: { readonly resource_info: string }
}

/** Another service: it has no database, and knows nothing but the notifications that it hears. */
export async function startUsageConsumer(redisUrl: string): Promise<UsageConsumer> {
  const projects = new Set<string>()
  const assignments = new Map<string, readonly [user: string, project: string]>()
  const received = new Map<string, number>()
  const known = new Set<string>()

  function hear({ event_type, message_id, payload }: Notification): void {
    // At least once means that the same message may come again.
    if (known.has(message_id)) return
    known.add(message_id)
    received.set(event_type, (received.get(event_type) ?? 0) + 1)
    const id = payload.resource_info
    if (event_type === "identity.project.created") projects.add(id)
    if (event_type === "identity.project.deleted") projects.delete(id)
    if (event_type === "identity.role_assignment.created") assignments.set(id, assigned(id))
    if (event_type === "identity.role_assignment.deleted") assignments.delete(id)
  }

  const client = new Redis(redisUrl)
  client.on("pmessage", (_pattern: string, _topic: string, text: string) => hear(JSON.parse(text) as Notification))
  await client.psubscribe("identity.*")

  return {
    usage: () => new Map([...projects].map((project) => [project, usageOf(project, [...assignments.values()])])),
    received: () => received,
    // Redis answers on the same connection, behind the messages.
    caughtUp: async () => void (await client.ping()),
    stop: () => client.disconnect(),
  }
}

/** An assignment has no key but what it joins: user, project and role. */
function assigned(id: string): readonly [user: string, project: string] {
  const [user = "", project = ""] = id.split(",")
  return [user, project]
}

function usageOf(project: string, assignments: readonly (readonly [user: string, project: string])[]): ProjectUsage {
  const own = assignments.filter(([, assignedTo]) => assignedTo === project)
  return { members: new Set(own.map(([user]) => user)).size, roleAssignments: own.length }
}
