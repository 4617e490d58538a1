import type { DataSource, EntityMetadata } from "typeorm"
import { ChangeEventsError } from "../errors"
import type { TransactionalSink } from "../events/transactional-sink"
import type { Report } from "../runtime/report"
import { captureDefaults, type CaptureOptions } from "./capture-options"
import type { CommitOrder } from "./commit-order"
import type { DriverConnection } from "./driver-connection"
import { foreignKeyActions, type ForeignKeyAction } from "./foreign-key-actions"
import { imageSql, type ImageSql } from "./image-sql"
import type { ValueReader } from "./image-column"
import { askMissingTriggers } from "./missing-triggers"
import { PreparedStatements } from "./prepared-statements"
import { askColumnTypes } from "./column-types"
import { askReadability, type Uncapturable } from "./readable-columns"
import type { TransactionLimits } from "./transaction-log"
import { immutableEntities } from "./immutable-entities"
import { KnownWrites, type KnownWrite } from "./known-writes"
import { NamedCoverage } from "./named-coverage"
import { trackClosures, treeOf } from "./tracked-closure"
import { trackJunctions, type TrackedJunction } from "./tracked-relation"
import { isTableWanted, isWanted, loggedName, trackEntity, type TrackedEntity } from "./tracked-entity"
import { triggerFault } from "./trigger-fault"
import { reportUnknownEntities } from "./unknown-entities"
import { reportUnseenForeignKeys } from "./unseen-foreign-keys"
import { uncapturedKind, UncapturedWrites, type TableCoverage, type UncapturedCounts } from "./uncaptured-writes"

export interface CaptureEnvironment {
  readonly options: CaptureOptions
  readonly order: CommitOrder
  /** Where events are written down by the transaction itself; undefined: they are only handed over after its commit. */
  readonly outbox?: TransactionalSink | undefined
  /** Called when a commit has put something into the outbox. */
  readonly onLogged?: (dataSource: DataSource) => void
  /** Whether somebody in this process wants the events themselves, after their commit. Default: yes. */
  readonly isHeard?: () => boolean
  readonly report: Report
  /** Counted up for every DataSource of the same changeEvents(). */
  readonly uncaptured: UncapturedCounts
  /** The captures of all its DataSources, for whoever is handed an entity and has to find out whose it is. */
  readonly captures: Set<Capture>
}

/** A query runner, or what else has a connection. */
interface Connector {
  connect(): Promise<unknown>
}

export interface TrackedTable {
  readonly entity: TrackedEntity
  /** Of a many-to-many relation's table. */
  readonly junction?: TrackedJunction
  readonly sql: ImageSql
}

/** What capture knows of one DataSource, from its initialisation to its end. */
export class Capture {
  readonly prepared: PreparedStatements
  readonly uncaptured: UncapturedWrites
  readonly reader: ValueReader
  readonly maxRows: number
  readonly limits: TransactionLimits
  readonly serverMajor: number
  private readonly tables = new Map<EntityMetadata, TrackedTable>()
  private readonly coverage = new NamedCoverage()
  private readonly types = new Map<TrackedEntity, readonly number[]>()
  private readonly immutable: ReadonlySet<EntityMetadata>
  private asked: Promise<void> | undefined
  private actions: ReturnType<typeof foreignKeyActions> | undefined
  private knownWrites: KnownWrites | undefined
  private readonly triggered: boolean
  private known = false

  constructor(
    readonly dataSource: DataSource,
    readonly environment: CaptureEnvironment,
  ) {
    const { options, report } = environment
    this.maxRows = options.maxRowsPerStatement ?? captureDefaults.maxRowsPerStatement
    this.limits = {
      maxEvents: options.maxEventsPerTransaction ?? captureDefaults.maxEventsPerTransaction,
      maxBytes: options.maxBytesPerTransaction ?? captureDefaults.maxBytesPerTransaction,
    }
    this.prepared = new PreparedStatements(options.preparedStatements !== false)
    this.reader = {
      hydrate: (value, column) => dataSource.driver.prepareHydratedValue(value, column),
      sensitiveHashKey: options.sensitiveHashKey ?? "",
    }
    this.uncaptured = new UncapturedWrites({
      policy: options.onUncaptured ?? "warn",
      report,
      counts: environment.uncaptured,
      maxRows: this.maxRows,
      coverage: this.coverage,
    })
    this.serverMajor = Number.parseInt(dataSource.driver.version ?? "", 10) || 0
    this.immutable = immutableEntities(dataSource, options)
    this.trackEntities()
    this.triggered = [...this.tables.values()].some(({ entity }) => entity.byTriggers)
    reportUnknownEntities(dataSource, options, report)
  }

  /** What is captured of the entity's table; undefined: nothing. */
  tableOf(metadata: EntityMetadata): TrackedTable | undefined {
    return this.tables.get(rootOf(metadata))
  }

  /** The same by the name that the change log has. */
  tableNamed(name: string): TrackedTable | undefined {
    for (const [metadata, table] of this.tables) if (loggedName(metadata) === name) return table
    return undefined
  }

  /** Whether triggers of the database write into the change log: they are told of the context, and nobody here of the rows. */
  get hasTriggers(): boolean {
    return this.triggered
  }

  /** The types of the entity's columns, as the driver's parsers know them; undefined while the server has not said. */
  typesOf(entity: TrackedEntity): readonly number[] | undefined {
    return this.types.get(entity)
  }

  /** Whether writes to the entity's table make events here. */
  coverageOf(metadata: EntityMetadata): TableCoverage {
    return this.coverage.of(metadata.tablePath) ?? "unwanted"
  }

  /** What foreign keys do to rows of captured tables when rows of this entity are deleted, or their keys change. */
  actionsOn(metadata: EntityMetadata, event: "onDelete" | "onUpdate"): readonly ForeignKeyAction[] {
    this.actions ??= foreignKeyActions(this.tables)
    return this.actions[event].get(rootOf(metadata)) ?? []
  }

  /** The write of TypeORM's own, made by no builder, that the text is; undefined also while the server has not said what may be read. */
  knownWrite(text: string): KnownWrite | undefined {
    if (!this.known) return undefined
    this.knownWrites ??= new KnownWrites(this, this.tables)
    return this.knownWrites.of(text)
  }

  /** Whether, by the user's word, the entity's rows are never changed. Also of an entity that is not captured for want of privileges. */
  isImmutable(metadata: EntityMetadata): boolean {
    return this.immutable.has(metadata)
  }

  /** Resolves once the server has said what may be read; undefined, so that nobody need wait, when it has. */
  whenKnown(queryRunner: Connector | undefined): Promise<void> | undefined {
    if (this.known) return undefined
    // Inside a transaction the question goes through its own connection: with a pool of one it would wait for itself.
    if (queryRunner) return this.askThrough(queryRunner)
    return (this.asked ??= this.askThroughPool().finally(() => (this.asked = undefined)))
  }

  private trackEntities(): void {
    const { options } = this.environment
    for (const metadata of this.dataSource.entityMetadatas) {
      const kind = uncapturedKind(metadata)
      if (metadata.tableType === "regular" && isTableWanted(metadata, options)) {
        const entity = trackEntity(metadata, options, this.dataSource)
        this.checkHashKey(entity)
        this.track({ entity, sql: imageSql(entity, this.serverMajor) })
      } else if (metadata.tableType !== "entity-child") {
        const isMissed = kind && isWanted(metadata, { ...options, entities: undefined })
        this.coverage.cover(metadata, isMissed ? { uncaptured: kind } : "unwanted")
      }
    }
    this.trackRelations()
  }

  private trackRelations(): void {
    const entityOf = (root: EntityMetadata): TrackedEntity | undefined => this.tables.get(root)?.entity
    for (const [metadata, junction] of trackJunctions(this.dataSource, this.environment.options, entityOf)) {
      const { entity } = junction
      this.tables.set(metadata, { entity, junction, sql: imageSql(entity, this.serverMajor) })
      this.coverage.cover(metadata, entity.byTriggers ? "unwanted" : "captured")
    }
    for (const entity of trackClosures(this.dataSource, this.environment.options, entityOf).values())
      this.track({ entity, sql: imageSql(entity, this.serverMajor) })
  }

  private track(table: TrackedTable): void {
    const { metadata, byTriggers } = table.entity
    if (byTriggers && !this.environment.outbox) throw withoutOutbox(metadata)
    this.tables.set(metadata, table)
    const fault = byTriggers ? triggerFault(table.entity) : undefined
    // Whatever writes it, its triggers see it: nothing is to be reported.
    this.coverage.cover(metadata, byTriggers ? "unwanted" : "captured")
    if (fault !== undefined) this.giveUp({ entity: table.entity, reason: fault, isWritable: true })
  }

  private checkHashKey(entity: TrackedEntity): void {
    const isHashed = entity.columns.some((column) => column.sensitive === "hash")
    if (!isHashed || this.reader.sensitiveHashKey) return
    throw new ChangeEventsError(
      "OPTIONS_INVALID",
      `${entity.metadata.name} has a column, or points to one, with @Sensitive("hash"), which needs the option \`sensitiveHashKey\``,
    )
  }

  private async askThroughPool(): Promise<void> {
    const queryRunner = this.dataSource.createQueryRunner("master")
    try {
      await this.askThrough(queryRunner)
    } finally {
      await queryRunner.release()
    }
  }

  /** A question that fails is asked again before the next write; until then nothing is captured, and it is reported. */
  private async askThrough(queryRunner: Connector): Promise<void> {
    const tables = [...this.tables.values()]
    try {
      const connection = (await queryRunner.connect()) as DriverConnection
      const query = (text: string, values: unknown[]) => connection.query(text, values) as Promise<{ rows: unknown[] }>
      // A trigger runs as its owner, whatever the role of this connection may read.
      const ownTables = tables.filter(({ entity }) => !entity.byTriggers)
      const { uncapturable, isPooled } = await askReadability(query, ownTables, connection)
      if (isPooled && this.environment.options.preparedStatements !== true) this.prepared.disable()
      for (const entity of uncapturable) this.giveUp(entity)
      // The columns of a wide table's images are not described by the driver's result.
      const typed = this.environment.outbox ? tables : tables.filter(({ sql }) => sql.isWide)
      if (typed.length > 0) await askColumnTypes(query, typed, this.types)
      for (const entity of await askMissingTriggers(query, tables)) this.miss(entity, NO_TRIGGERS)
      const isFirst = !this.known
      this.known = true
      if (isFirst) reportUnseenForeignKeys(this)
    } catch (cause) {
      const message = "could not find out which columns may be read; writes are not captured until it can"
      this.environment.report(
        new ChangeEventsError("CAPTURE_FAILED", message, { cause, details: { about: "privileges" } }),
      )
    }
  }

  get isKnown(): boolean {
    return this.known
  }

  private giveUp({ entity, reason, isWritable }: Uncapturable): void {
    if (!this.tables.delete(entity.metadata)) return
    this.actions = undefined
    for (const { junction, entity: other } of [...this.tables.values()]) {
      if (junction) this.giveUpRelations(junction, entity)
      if (isClosureOf(other, entity))
        this.giveUp({ entity: other, reason: `${entity.metadata.name} is not captured`, isWritable: false })
    }
    this.miss(entity, reason, isWritable)
  }

  /** What the log holds of the entity can be read all the same. */
  private miss({ metadata, byTriggers }: TrackedEntity, reason: string, isMissed = true): void {
    this.coverage.replace(metadata, byTriggers ? "unwanted" : "captured", { uncaptured: reason })
    if (!isMissed) return
    const message = `${metadata.name} is not captured: ${reason}`
    this.environment.report(new ChangeEventsError("ENTITY_UNCAPTURED", message, { details: { about: metadata.name } }))
  }

  /** What an entity lists makes no events where it makes none itself. */
  private giveUpRelations(junction: TrackedJunction, gone: TrackedEntity): void {
    const relations = junction.relations.filter(({ entity }) => entity !== gone)
    if (relations.length === junction.relations.length) return
    const { entity } = junction
    const table = this.tables.get(entity.metadata) as TrackedTable
    if (relations.length > 0) this.tables.set(entity.metadata, { ...table, junction: { ...junction, relations } })
    else this.giveUp({ entity, reason: `${gone.metadata.name} is not captured`, isWritable: false })
  }
}

function isClosureOf({ metadata }: TrackedEntity, tree: TrackedEntity): boolean {
  return metadata.tableType === "closure-junction" && treeOf(metadata) === tree.metadata
}

const NO_TRIGGERS =
  "its table has not all triggers: run the migration of `change-events triggers:generate`, and start anew"

function withoutOutbox({ name }: EntityMetadata): ChangeEventsError {
  const message = `${name} is captured by triggers (\`capture: "triggers"\`), which needs the option \`delivery: "outbox"\``
  return new ChangeEventsError("OPTIONS_INVALID", message)
}

/** With single-table inheritance the root's metadata has the columns of all. */
function rootOf(metadata: EntityMetadata): EntityMetadata {
  return metadata.tableType === "entity-child" ? metadata.parentEntityMetadata : metadata
}
