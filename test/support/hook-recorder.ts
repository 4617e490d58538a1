import type { EntityMetadata, EntitySubscriberInterface } from "typeorm"
import { clockless } from "./clockless"

/** A hook of a subscriber's that was called, and what with. */
export interface HookCall {
  readonly hook: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** A subscriber of the application's that remembers every call of its hooks. */
export interface HookRecorder extends EntitySubscriberInterface {
  readonly calls: HookCall[]
}

const hooks = [
  ...["Insert", "Update", "Remove", "SoftRemove", "Recover"].flatMap((each) => [`before${each}`, `after${each}`]),
  ...["Start", "Commit", "Rollback"].flatMap((each) => [`beforeTransaction${each}`, `afterTransaction${each}`]),
  "beforeQuery",
  "afterQuery",
  "afterLoad",
]

/** What a write's text is compared as: with capture it is another one. */
const WRITE = /^\s*(WITH|INSERT|UPDATE|DELETE)\b/i

export function hookRecorder(): HookRecorder {
  const calls: HookCall[] = []
  const listeners = hooks.map((hook) => [
    hook,
    (first: object, second?: object): void => void calls.push({ hook, payload: payloadOf(second ?? first) }),
  ])
  return Object.assign(Object.fromEntries(listeners) as EntitySubscriberInterface, { calls })
}

interface AnyEvent {
  readonly metadata?: EntityMetadata
  readonly query?: string
  readonly rawResults?: unknown
  readonly updatedColumns?: readonly { propertyPath: string }[]
  readonly updatedRelations?: readonly { propertyPath: string }[]
  readonly queryRunner?: { isTransactionActive: boolean }
  readonly entity?: unknown
  readonly databaseEntity?: unknown
  readonly entityId?: unknown
  readonly parameters?: unknown
  readonly success?: boolean
}

function payloadOf(event: AnyEvent): HookCall["payload"] {
  const { metadata, query, rawResults, updatedColumns, updatedRelations, queryRunner } = event
  const { entity, databaseEntity, entityId, parameters, success } = event
  return {
    keys: Object.keys(event).sort(),
    entity: clockless(entity),
    databaseEntity: clockless(databaseEntity),
    entityId: clockless(entityId),
    parameters: clockless(parameters),
    success,
    metadata: metadata?.name,
    query: query !== undefined && WRITE.test(query) ? "<write>" : query,
    results: [rawResults ?? []].flat().map(resultOf),
    updatedColumns: updatedColumns?.map(({ propertyPath }) => propertyPath),
    updatedRelations: updatedRelations?.map(({ propertyPath }) => propertyPath),
    isTransactionActive: queryRunner?.isTransactionActive,
  }
}

/** Of the driver's result what TypeORM and others read. */
function resultOf(result: unknown): unknown {
  const { command, rowCount, rows, fields } = result as Record<string, unknown>
  const names = (fields as { name: string }[] | undefined)?.map(({ name }) => name)
  return { command, rowCount, rows: clockless(rows), names }
}
