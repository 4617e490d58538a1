import type { DataSource, EntityMetadata } from "typeorm"
import type { CaptureOptions } from "../capture/capture-options"
import {
  entityOptions,
  isByTriggers,
  isTableWanted,
  isWanted,
  namesEntity,
  trackEntity,
  type TrackedEntity,
} from "../capture/tracked-entity"
import { trackClosures } from "../capture/tracked-closure"
import { trackJunctions, type TrackedJunction } from "../capture/tracked-relation"
import { triggerFault } from "../capture/trigger-fault"
import { ChangeEventsError } from "../errors"
import type { OutboxOptions } from "../outbox/outbox-options"
import { nearestName } from "../runtime/nearest-name"
import { completionTrigger, junctionTriggers } from "./relation-triggers"
import { tableTriggers, type TableTriggers } from "./table-triggers"

export interface TriggerOptions extends CaptureOptions {
  readonly outbox?: OutboxOptions
}

/**
 * The triggers of every table that the options, or `@CaptureChanges`, say triggers capture. Needs the DataSource's metadata, and asks no
 * database.
 *
 * @throws ChangeEventsError TRIGGERS_IMPOSSIBLE with every fault in `details.faults`
 */
export function triggersOf(dataSource: DataSource, options: TriggerOptions): readonly TableTriggers[] {
  const { outbox = {}, emitUnchanged = false } = options
  const found = dataSource.entityMetadatas.map((metadata) => capturedEntity(metadata, options, dataSource))
  const junctions = triggeredJunctions(dataSource, options)
  const faults = [
    ...unknownEntities(dataSource, options),
    ...found.filter((each) => typeof each === "string"),
    ...junctions.flatMap(junctionFaults),
  ]
  const entities = found.filter((each) => typeof each === "object")
  if (faults.length === 0 && entities.length === 0) faults.push('nothing has the option `capture: "triggers"`')
  if (faults.length > 0) throw impossible(faults)
  const closures = trackClosures(dataSource, options, (root) => entities.find(({ metadata }) => metadata === root))
  const tables = [
    ...[...entities, ...closures.values()].map((entity) => tableTriggers({ entity, outbox, emitUnchanged })),
    ...junctions.map((junction) => junctionTriggers(junction, outbox)),
  ].sort((a, b) => (a.functionName < b.functionName ? -1 : 1))
  return junctions.length > 0 ? [...tables, completionTrigger(junctions, outbox)] : tables
}

/** Undefined for an entity that triggers need not capture, a sentence for one that they cannot. */
function capturedEntity(
  metadata: EntityMetadata,
  options: CaptureOptions,
  dataSource: DataSource,
): TrackedEntity | string | undefined {
  const { name, tableType } = metadata
  if (tableType === "view" && isWanted(metadata, options) && entityOptions(metadata, options).capture === "triggers")
    return `${name} is a view, which has no rows of its own: capture the tables that it shows`
  if (tableType !== "regular" || !isByTriggers(metadata, options)) return undefined
  if (metadata.primaryColumns.length === 0) return `${name} has no primary key, by which its rows are told apart`
  const entity = trackEntity(metadata, options, dataSource)
  const fault = triggerFault(entity)
  return fault === undefined ? entity : `${name}: ${fault}`
}

/** Those of which triggers capture a side. */
function triggeredJunctions(dataSource: DataSource, options: CaptureOptions): TrackedJunction[] {
  const entities = new Map<EntityMetadata, TrackedEntity>()
  for (const metadata of dataSource.entityMetadatas) {
    if (metadata.tableType === "regular" && metadata.primaryColumns.length > 0 && isTableWanted(metadata, options))
      entities.set(metadata, trackEntity(metadata, options, dataSource))
  }
  const junctions = trackJunctions(dataSource, options, (root) => entities.get(root))
  return [...junctions.values()].filter(({ entity }) => entity.byTriggers)
}

function junctionFaults({ entity, relations }: TrackedJunction): string[] {
  return relations.flatMap((relation) => {
    const { metadata } = relation.entity
    const name = `${metadata.name}.${relation.path.join(".")}`
    const fault = relation.entity.byTriggers ? undefined : triggerFault(relation.entity)
    return [
      ...(relation.shown.some(({ sensitive }) => sensitive)
        ? [
            `${name} lists a sensitive key, which a trigger cannot hide: leave it out (\`relations: "off"\`, or \`ignore\`)`,
          ]
        : []),
      ...(metadata.schema === undefined && entity.metadata.schema !== undefined
        ? [
            `${name}: its junction is in the schema ${entity.metadata.schema}, but ${metadata.name} does not say its own`,
          ]
        : []),
      ...(fault === undefined ? [] : [`${name}: ${fault}`]),
    ]
  })
}

function unknownEntities(dataSource: DataSource, { entities = [] }: CaptureOptions): string[] {
  const names = dataSource.entityMetadatas.map(({ name }) => name)
  return entities.flatMap((entry) => {
    if (typeof entry !== "object" || !("entity" in entry) || entry.capture !== "triggers") return []
    if (dataSource.entityMetadatas.some((metadata) => namesEntity(entry, metadata))) return []
    const { entity } = entry
    const name = typeof entity === "string" ? entity : typeof entity === "function" ? entity.name : entity.options.name
    const nearest = nearestName(name, names)
    const advice = nearest === undefined || nearest === name ? "" : `, did you mean \`${nearest}\`?`
    return [`${name} is no entity of this DataSource${advice}`]
  })
}

function impossible(faults: readonly string[]): ChangeEventsError {
  const message = `triggers cannot be made:\n- ${faults.join("\n- ")}`
  return new ChangeEventsError("TRIGGERS_IMPOSSIBLE", message, { details: { faults } })
}
