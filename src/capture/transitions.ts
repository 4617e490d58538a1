import { changeTopic } from "../events/topic"
import type { EntityCaptureOptions } from "./capture-options"
import type { ImageColumn } from "./image-column"
import type { EntityVariant } from "./tracked-entity"

/** A new value of a property that has a name of its own. */
export interface Transition {
  /** Position in the entity's columns. */
  readonly column: number
  /** The new value, as text: `false`, `retired`. */
  readonly value: string
  readonly operation: string
  readonly isInternal: boolean
}

type TransitionsOption = NonNullable<EntityCaptureOptions["transitions"]>

export function entityTransitions(columns: readonly ImageColumn[], option: TransitionsOption = {}): Transition[] {
  return columns.flatMap(({ path }, column) =>
    Object.entries(option[path.join(".")] ?? {}).map(([value, given]) => ({
      column,
      value,
      operation: typeof given === "string" ? given : given.operation,
      isInternal: typeof given === "string" ? false : (given.internal ?? false),
    })),
  )
}

export function transitionTopic({ operation }: Transition, { prefix, app, model }: EntityVariant): string {
  return changeTopic({ prefix, action: operation, app, model })
}
