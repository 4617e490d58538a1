import type { ChangeRecord } from "./change-event"

/**
 * What a change did to its row. For an update both sides hold the attributes that differ, with the new and the old value; an
 * attribute that one of the images lacks shows as null on that side. Null stands for the image that does not exist: `removed`
 * of a create, `added` of a delete.
 */
export interface Differences {
  readonly added: ChangeRecord | null
  readonly removed: ChangeRecord | null
}

const NOTHING: Differences = Object.freeze({ added: Object.freeze({}), removed: Object.freeze({}) })

/**
 * Compares two images whose values are JSON-ready. A create has added the whole record, a delete removed it, an update both:
 * its attributes are compared as wholes, in `postchange`'s order, then those that vanished. Equality is strict about types
 * (`1` is not `"1"` and not `true`) and about the order of lists, but not about the order of an object's keys; an attribute
 * that is missing is equal to null.
 *
 * `ignored` are attributes that do not count as a difference by themselves, such as update dates and versions. Default: none.
 */
export function differences(
  prechange: ChangeRecord | null,
  postchange: ChangeRecord | null,
  ignored?: ReadonlySet<string>,
): Differences {
  if (prechange === null || postchange === null) return { added: postchange, removed: prechange }
  const keys = changedKeys(prechange, postchange, ignored)
  return keys ? { added: pick(postchange, keys), removed: pick(prechange, keys) } : NOTHING
}

/** Whether the change left the row as it was. A create or delete never did, even of an empty record. */
export function isUnchanged({ added, removed }: Differences): boolean {
  if (added === null || removed === null) return added === removed
  return hasNoKeys(added) && hasNoKeys(removed)
}

/** Undefined rather than an empty list, so that comparing equal images allocates nothing. */
function changedKeys(
  prechange: ChangeRecord,
  postchange: ChangeRecord,
  ignored: ReadonlySet<string> | undefined,
): string[] | undefined {
  let keys: string[] | undefined
  for (const key in postchange) {
    if (equal(attribute(prechange, key), attribute(postchange, key)) || ignored?.has(key)) continue
    keys ??= []
    keys.push(key)
  }
  for (const key in prechange) {
    if (Object.hasOwn(postchange, key) || attribute(prechange, key) === null || ignored?.has(key)) continue
    keys ??= []
    keys.push(key)
  }
  return keys
}

function pick(record: ChangeRecord, keys: readonly string[]): ChangeRecord {
  return Object.fromEntries(keys.map((key) => [key, attribute(record, key)]))
}

function attribute(record: ChangeRecord, key: string): unknown {
  return Object.hasOwn(record, key) ? (record[key] ?? null) : null
}

function hasNoKeys(record: ChangeRecord): boolean {
  for (const _key in record) return false
  return true
}

/** Deep equality of JSON values. */
function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false
  if (Array.isArray(left)) return Array.isArray(right) && equalLists(left, right)
  return !Array.isArray(right) && equalObjects(left as ChangeRecord, right as ChangeRecord)
}

function equalLists(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (!equal(left[index], right[index])) return false
  return true
}

function equalObjects(left: ChangeRecord, right: ChangeRecord): boolean {
  let missing = 0
  for (const key in left) {
    if (!Object.hasOwn(right, key) || !equal(left[key], right[key])) return false
    missing++
  }
  for (const _key in right) missing--
  return missing === 0
}
