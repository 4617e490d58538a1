import type { DataSource } from "typeorm"
import type { CaptureOptions } from "../capture/capture-options"
import {
  entityOptions,
  isTableWanted,
  trackEntity,
  type EntityVariant,
  type TrackedEntity,
} from "../capture/tracked-entity"
import { trackClosures } from "../capture/tracked-closure"
import { trackJunctions, type TrackedRelation } from "../capture/tracked-relation"
import { transitionTopic } from "../capture/transitions"
import type { ChangeAction } from "../events/change-event"
import type { JsonSchema } from "./json-schema"
import { recordProperties, withLists } from "./record-schema"

/** What consumers get of one entity. */
export interface DescribedEntity {
  /** The entity's own name, such as `IPAddress`. */
  readonly name: string
  readonly app: string
  readonly model: string
  /** What every record has of it. */
  readonly properties: Readonly<Record<string, JsonSchema>>
  /** What one may have: the lists of many-to-many relations, besides. */
  readonly possible: Readonly<Record<string, JsonSchema>>
  readonly topics: readonly DescribedTopic[]
}

export interface DescribedTopic {
  readonly topic: string
  readonly action: ChangeAction
  /** Such as `disabled`: the update's name by the entity's option `transitions`. */
  readonly transition?: string
}

/** What `changeEvents()` with these options sends of the DataSource's entities, in their order. Needs its metadata only. */
export function describedEntities(dataSource: DataSource, options: CaptureOptions): DescribedEntity[] {
  const entities = new Map(
    dataSource.entityMetadatas
      .filter((metadata) => metadata.tableType === "regular" && isTableWanted(metadata, options))
      .map((metadata) => [metadata, trackEntity(metadata, options, dataSource)]),
  )
  const junctions = trackJunctions(dataSource, options, (root) => entities.get(root))
  const closures = trackClosures(dataSource, options, (root) => entities.get(root))
  const all = [...junctions.values()].flatMap(({ relations }) => relations)
  return [...entities.values(), ...closures.values()].flatMap((entity) => {
    const relations = all.filter((relation) => relation.entity === entity)
    const isImmutable = closures.has(entity.metadata) || entityOptions(entity.metadata, options).immutable === true
    const wanted = [...entity.variants].filter(([, variant]) => variant.isWanted)
    return wanted.map(([discriminator, variant]) => {
      const properties = recordProperties(entity, variant, dataSource)
      return {
        name: variantName(entity, discriminator),
        app: variant.app,
        model: variant.model,
        properties,
        possible: withLists(properties, relations, dataSource),
        topics: isImmutable
          ? immutableChanges(variant, relations)
          : [...changes(variant), ...transitions(entity, variant)],
      }
    })
  })
}

function variantName({ metadata }: TrackedEntity, discriminator: string): string {
  const child = metadata.childEntityMetadatas.find((each) => each.discriminatorValue === discriminator)
  return (child ?? metadata).name
}

const actions: readonly ChangeAction[] = ["create", "update", "delete"]

function changes({ topics }: EntityVariant): DescribedTopic[] {
  return actions.map((action) => ({ topic: topics[action], action }))
}

/** An update of an immutable entity is refused, but what it lists may change. */
function immutableChanges(variant: EntityVariant, relations: readonly TrackedRelation[]): DescribedTopic[] {
  return changes(variant).filter(({ action }) => action !== "update" || relations.length > 0)
}

/** Those that leave the process, each topic once: several values may have the same name. */
function transitions({ transitions: all }: TrackedEntity, variant: EntityVariant): DescribedTopic[] {
  const shown = all.filter((transition) => !transition.isInternal && variant.columns.includes(transition.column))
  const byTopic = new Map(shown.map((transition) => [transitionTopic(transition, variant), transition.operation]))
  return [...byTopic].map(([topic, transition]) => ({ topic, action: "update", transition }))
}
