import type { ChangeContextKind } from "./events/event-context"

/**
 * The body of a message in the format `record`, for the changes of one entity: what a consumer written in TypeScript parses.
 * `event.prechange === null` tells a create, `event.postchange === null` a delete; what is left is an update.
 *
 * Types know less than the database does. What this one goes by, where it is wrong, and how `Replaced` corrects it, says
 * {@link RecordOf}.
 *
 * @example
 * ```ts
 * const event = JSON.parse(text) as ChangeEventOf<User, { password: never; apiToken: never }>
 * if (event.prechange !== null && event.postchange !== null) console.log(event.differences.added.email)
 * ```
 */
export type ChangeEventOf<Entity extends object, Replaced = unknown> =
  CreateEventOf<Entity, Replaced> | UpdateEventOf<Entity, Replaced> | DeleteEventOf<Entity, Replaced>

export interface CreateEventOf<Entity extends object, Replaced = unknown> {
  readonly context: RecordContext
  readonly prechange: null
  readonly postchange: RecordOf<Entity, Replaced>
  readonly differences: { readonly added: RecordOf<Entity, Replaced>; readonly removed: null }
}

export interface UpdateEventOf<Entity extends object, Replaced = unknown> {
  readonly context: RecordContext
  readonly prechange: RecordOf<Entity, Replaced>
  readonly postchange: RecordOf<Entity, Replaced>
  readonly differences: {
    readonly added: Partial<RecordOf<Entity, Replaced>>
    readonly removed: Partial<RecordOf<Entity, Replaced>>
  }
}

export interface DeleteEventOf<Entity extends object, Replaced = unknown> {
  readonly context: RecordContext
  readonly prechange: RecordOf<Entity, Replaced>
  readonly postchange: null
  readonly differences: { readonly added: null; readonly removed: RecordOf<Entity, Replaced> }
}

/** Who and why, as the format `record` names it. Further keys of the context are kept, in snake_case. */
export interface RecordContext {
  readonly user_name: string | null
  /** When the change happened: ISO 8601 UTC. */
  readonly timestamp: string
  readonly request_id: string
  readonly change_context: ChangeContextKind
  readonly change_context_detail: string
  readonly event_id: string
  readonly traceparent?: string
  readonly [key: string]: unknown
}

/**
 * A row as a record shows it, from the entity's class: methods are gone; dates, bigints and bytes are texts; a lazy relation is
 * what it promises; an object with an `id` is a relation, shown as that key, and not at all beside a property that holds the key
 * (`device` beside `deviceId`); other objects are embedded entities or JSON; lists of relations are the other side's rows, and
 * not in the record. A many-to-many one is in the records of the transactions that changed it: name it in `Replaced`, such as
 * `{ tags: readonly string[] | undefined }`.
 *
 * A type cannot see what decorators say. `Replaced` names the exceptions, each property with its type, or never for one that is
 * not in the record: `@Sensitive`, `select: false` and ignored columns, getters, a relation whose key has another name, a column
 * with a mode `mask` or `hash` that is no text.
 */
export type RecordOf<Entity extends object, Replaced = unknown> = {
  readonly [Name in RecordName<Entity, Replaced>]-?: Name extends keyof Replaced
    ? Replaced[Name]
    : RecordValue<Entity[Name]>
}

type RecordName<Entity, Replaced> = {
  [Name in keyof Entity & string]-?: Name extends keyof Replaced
    ? [Replaced[Name]] extends [never]
      ? never
      : Name
    : IsShown<Entity, Name> extends true
      ? Name
      : never
}[keyof Entity & string]

type IsShown<Entity, Name extends keyof Entity & string> =
  IsAny<Entity[Name]> extends true
    ? true
    : Given<Entity[Name]> extends Method | readonly Relation[]
      ? false
      : Given<Entity[Name]> extends Relation
        ? `${Name}Id` extends keyof Entity
          ? false
          : true
        : true

/** What a property holds when it holds something. */
type Given<Value> = NonNullable<Awaited<Value>>

type Method = (...given: never) => unknown

type Bytes = Uint8Array | ArrayBuffer

type Primitive = string | number | boolean | null

type IsAny<Value> = 0 extends 1 & Value ? true : false

/** An object with an `id` that is no dictionary. */
type Relation = { readonly id: string | number | bigint }

/** A column that was not given is null in the database. */
type RecordValue<Value> =
  IsAny<Value> extends true
    ? Value
    : unknown extends Value
      ? unknown
      : Shown<Exclude<Awaited<Value>, undefined>> | Missing<Value>

type Missing<Value> = undefined extends Value ? null : never

type Shown<Value> = Value extends Primitive
  ? Value
  : Value extends bigint | Date | Bytes
    ? string
    : Value extends Relation
      ? RecordValue<Value["id"]>
      : Json<Value>

/** What JSON makes of a value that is no relation: an embedded entity, a list, a document. */
type Json<Value> =
  IsAny<Value> extends true
    ? Value
    : Value extends Primitive
      ? Value
      : Value extends bigint | Date | Bytes
        ? string
        : Value extends { toJSON(...given: never): infer Written }
          ? Written
          : Value extends readonly (infer Item)[]
            ? readonly Json<Item>[]
            : Value extends object
              ? string extends keyof Value
                ? Value
                : { readonly [Name in keyof Value as Value[Name] extends Method ? never : Name]: Json<Value[Name]> }
              : Value
