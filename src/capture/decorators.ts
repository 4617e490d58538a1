import { ChangeEventsError } from "../errors"
import { oneOf } from "../runtime/option-checks"
import { sensitiveModes, type EntityCaptureOptions, type SensitiveMode } from "./capture-options"
import { entityOptionFaults } from "./entity-option-faults"

interface Declarations {
  readonly entities: WeakMap<object, EntityCaptureOptions>
  readonly sensitive: WeakMap<object, Map<string, SensitiveMode>>
}

// On globalThis, so that an entity decorated through one copy of this package is known to another (CJS and ESM, or two versions).
const registry = globalThis as unknown as Record<symbol, Declarations | undefined>
const KEY = Symbol.for("typeorm-change-events.declarations")
const declarations = (): Declarations => (registry[KEY] ??= { entities: new WeakMap(), sensitive: new WeakMap() })

/**
 * How changes of this entity are captured.
 *
 * @example
 * ```ts
 * @Entity()
 * @CaptureChanges({ app: "ipam", ignore: ["searchVector"] })
 * class IPAddress {}
 * ```
 * @throws ChangeEventsError OPTIONS_INVALID
 */
export function CaptureChanges(options: EntityCaptureOptions = {}): ClassDecorator {
  const faults = entityOptionFaults(options, "@CaptureChanges")
  if (faults.length > 0) throw invalid(faults)
  return (target) => void declarations().entities.set(target, options)
}

/**
 * Keeps this column's value out of every event, on create, update and delete alike. Default mode "omit".
 *
 * @throws ChangeEventsError OPTIONS_INVALID
 */
export function Sensitive(mode: SensitiveMode = "omit"): PropertyDecorator {
  const faults = oneOf(...sensitiveModes)(mode, "@Sensitive")
  if (faults.length > 0) throw invalid(faults)
  return (prototype, property) => {
    const { sensitive } = declarations()
    const modes = sensitive.get(prototype.constructor) ?? new Map<string, SensitiveMode>()
    sensitive.set(prototype.constructor, modes.set(String(property), mode))
  }
}

/** What `@CaptureChanges` said of the class, the subclass's word before its parent's. */
export function declaredCapture(target: unknown): EntityCaptureOptions {
  const options = lineage(target).map((ancestor) => declarations().entities.get(ancestor) ?? {})
  return Object.assign({}, ...options.reverse())
}

/** What `@Sensitive` said of the property, on the class or one it extends. */
export function declaredSensitivity(target: unknown, property: string): SensitiveMode | undefined {
  for (const ancestor of lineage(target)) {
    const mode = declarations().sensitive.get(ancestor)?.get(property)
    if (mode) return mode
  }
  return undefined
}

function invalid(faults: readonly string[]): ChangeEventsError {
  return new ChangeEventsError("OPTIONS_INVALID", faults.join("; "), { details: { faults } })
}

function lineage(target: unknown): object[] {
  const ancestors: object[] = []
  for (
    let at: unknown = target;
    typeof at === "function" && at !== Function.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    ancestors.push(at)
  }
  return ancestors
}
