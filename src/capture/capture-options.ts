import type { EntityMetadata, EntitySchema, ObjectLiteral, ObjectType } from "typeorm"
import type { ChangeRecord } from "../events/change-event"

/**
 * What consumers see of a sensitive column: nothing at all (`omit`, it is not even read from the database), `***` (`mask`), or
 * its HMAC-SHA-256 with the option `sensitiveHashKey` (`hash`, so that equal values can be recognised).
 */
export type SensitiveMode = (typeof sensitiveModes)[number]

export const sensitiveModes = ["omit", "mask", "hash"] as const

/**
 * Many-to-many relations that an entity's events show: those whose join table it declares (`owner`), those of the other side as well, if it
 * has a property for them (`both`), or none (`off`).
 */
export type RelationsOption = (typeof relationsOptions)[number]

export const relationsOptions = ["owner", "both", "off"] as const

/** Whether the rows of a tree's closure table are events of their own, of the table's name in lower case (`events`), or none (`off`). */
export type ClosuresOption = (typeof closuresOptions)[number]

export const closuresOptions = ["events", "off"] as const

/**
 * Who tells of an entity's changes: this package around TypeORM's statements (`orm`), or triggers of the database (`triggers`), which also
 * see raw SQL, foreign keys' cascades, TRUNCATE and other programs. Triggers need `delivery: "outbox"` and the migration that
 * `change-events triggers:generate` writes (docs/triggers.md).
 */
export type CaptureMethod = (typeof captureMethods)[number]

export const captureMethods = ["orm", "triggers"] as const

export interface TransitionOptions {
  /** First part of the topic behind the prefix, such as `disabled`. */
  readonly operation: string
  /** Whether the event stays in this process, for listeners of `changes.on`. Default false. */
  readonly internal?: boolean
}

/** Per entity, by `@CaptureChanges` or in the option `entities`. */
export interface EntityCaptureOptions {
  /** Third part of the topic. Default: the option `app`. */
  readonly app?: string
  /** Last part of the topic. Default: the entity's name in lower case. */
  readonly model?: string
  /**
   * Who tells of its changes. With single-table inheritance what one entity says holds for the table. Default: the option `capture`.
   */
  readonly capture?: CaptureMethod
  /** Properties that are in no event: not in the images, and no reason for one. Default none. */
  readonly ignore?: readonly string[]
  /** false: this entity's writes make no events, and are not reported as uncaptured. Default true. */
  readonly enabled?: boolean
  /**
   * true: rows are created and deleted, never changed. An update is refused, with IMMUTABLE_ENTITY, before it is sent; so is an upsert,
   * which might update. A soft-remove counts as a deletion, unless `softDelete` is "update". The lists of its many-to-many relations may
   * change, and are then told as an update. Default false.
   */
  readonly immutable?: boolean
  /**
   * Updates that have a name of their own: by property and its new value, such as `{ enabled: { false: "disabled" } }`. Beside the update's
   * event there is then one of the topic `[<prefix>.]disabled.<app>.<model>`; with `{ operation: "disabled", internal: true }` only
   * in-process listeners get it.
   */
  readonly transitions?: Readonly<Record<string, Readonly<Record<string, string | TransitionOptions>>>>
  /** Soft-remove and recover as `delete` and `create` ("delete", the default) or as `update` ("update"). */
  readonly softDelete?: "delete" | "update"
  /** Sensitive properties of an entity that has no class to decorate (EntitySchema): property path → mode. */
  readonly sensitive?: Readonly<Record<string, SensitiveMode>>
  /** Which of its many-to-many relations the entity's events show. Default: the option `relations`. */
  readonly relations?: RelationsOption
  /** Of a tree that TypeORM keeps as a closure table: whether the table's rows are events. Default: the option `closures`. */
  readonly closures?: ClosuresOption
  /** How people call the row, as user and approval events show it. Given the row as they send it: without sensitive values. */
  readonly display?: RowText
  /** Where the row is found, such as `/api/users/1/`, in the same events. */
  readonly url?: RowText
}

/** A text made of a row: property names, and values as JSON holds them. */
export type RowText = (row: ChangeRecord) => string

export type EntityReference = ObjectType<ObjectLiteral> | EntitySchema<ObjectLiteral> | string

/** What happens when a write is noticed that no builder of ours made: log it, make the statement fail, or nothing. */
export type UncapturedPolicy = "warn" | "throw" | "ignore"

export interface CaptureOptions {
  /** First part of every topic. Default: none. */
  readonly topicPrefix?: string
  /** The app of an entity. Default: its schema, else "app". */
  readonly app?: string | ((metadata: EntityMetadata) => string)
  /** The entities to capture, with their options. Default: all. */
  readonly entities?: readonly (EntityReference | (EntityCaptureOptions & { readonly entity: EntityReference }))[]
  /** Who tells of the changes, for every entity. Default "orm". */
  readonly capture?: CaptureMethod
  /** Soft-remove and recover, for every entity. Default "delete". */
  readonly softDelete?: "delete" | "update"
  /** A change of a many-to-many relation as an update of which entities. Default "owner". */
  readonly relations?: RelationsOption
  /** Whether the rows of the captured trees' closure tables are events of their own. Default "events". */
  readonly closures?: ClosuresOption
  /**
   * "transaction": one event for each row and transaction, of what became of it: create and update are a create, create and delete nothing,
   * delete and create an update, there and back nothing. Default "off": one for each change.
   */
  readonly coalesce?: "transaction" | "off"
  /** Whether a written row that differs in nothing gives an event. Default false. */
  readonly emitUnchanged?: boolean
  /** Default "warn". */
  readonly onUncaptured?: UncapturedPolicy
  /** A statement that changes more rows than this does not bring them to the application. Default 10 000. */
  readonly maxRowsPerStatement?: number
  /** Events held for one open transaction; what comes after is reported as uncaptured. Default 200 000. */
  readonly maxEventsPerTransaction?: number
  /** The same in bytes, as the events estimate themselves. Default 268 435 456 (256 MiB). */
  readonly maxBytesPerTransaction?: number
  /**
   * Whether captured statements are prepared on their connection, which is where most of their cost goes. "auto", the default: yes,
   * unless a pooler such as PgBouncer is found between the application and the server.
   */
  readonly preparedStatements?: boolean | "auto"
  /** The key of `@Sensitive("hash")`. Required when a column uses it. */
  readonly sensitiveHashKey?: string
}

export const captureDefaults = {
  maxRowsPerStatement: 10_000,
  maxEventsPerTransaction: 200_000,
  maxBytesPerTransaction: 256 * 1024 * 1024,
} as const
