import { randomUUID } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import {
  Column,
  CreateDateColumn,
  Entity,
  EventSubscriber,
  PrimaryGeneratedColumn,
  type EntityManager,
  type EntitySubscriberInterface,
  type InsertEvent,
  type ObjectLiteral,
  type UpdateEvent,
} from "typeorm"

/** What people write by hand: an audit row saved from a hook, in the transaction of the change. It holds what an event of ours tells. */
@Entity({ name: "audit_row" })
export class AuditRow {
  @PrimaryGeneratedColumn({ type: "bigint" })
  id!: string

  @CreateDateColumn({ type: "timestamptz" })
  at!: Date

  @Column({ type: "text" })
  action!: string

  @Column({ type: "text" })
  entity!: string

  @Column({ type: "text", name: "entity_id" })
  entityId!: string

  @Column({ type: "text", name: "user_name", nullable: true })
  userName!: string | null

  @Column({ type: "uuid", name: "request_id" })
  requestId!: string

  @Column({ type: "jsonb", nullable: true })
  before!: unknown

  @Column({ type: "jsonb", nullable: true })
  after!: unknown

  @Column({ type: "jsonb" })
  changed!: unknown
}

export const createAuditTable = `CREATE TABLE audit_row (
  id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), action text NOT NULL, entity text NOT NULL, entity_id text NOT NULL,
  user_name text, request_id uuid NOT NULL, before jsonb, after jsonb, changed jsonb NOT NULL
)`

@EventSubscriber()
export class AuditSubscriber implements EntitySubscriberInterface<ObjectLiteral> {
  async afterInsert({ entity, manager, metadata }: InsertEvent<ObjectLiteral>): Promise<void> {
    if (metadata.target !== AuditRow)
      await saveAudit(manager, { action: "create", entity: metadata.name, after: entity })
  }

  async afterUpdate({ entity, databaseEntity, manager, metadata }: UpdateEvent<ObjectLiteral>): Promise<void> {
    if (metadata.target === AuditRow) return
    await saveAudit(manager, { action: "update", entity: metadata.name, before: databaseEntity, after: entity })
  }
}

interface Change {
  readonly action: string
  readonly entity: string
  readonly before?: ObjectLiteral | undefined
  readonly after?: ObjectLiteral | undefined
}

async function saveAudit(manager: EntityManager, { action, entity, before, after = {} }: Change): Promise<void> {
  const names = Object.keys(after).filter((name) => !isDeepStrictEqual(before?.[name], after[name]))
  const changed = Object.fromEntries(names.map((name) => [name, after[name]]))
  const images = { before: before && { ...before }, after: { ...after }, changed }
  const about = { action, entity, entityId: String(after["id"]), userName: null, requestId: randomUUID() }
  await manager.save(AuditRow, { ...about, ...images })
}
