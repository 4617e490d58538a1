import {
  Column,
  Entity,
  EventSubscriber,
  PrimaryGeneratedColumn,
  type EntitySubscriberInterface,
  type InsertEvent,
  type UpdateEvent,
} from "typeorm"

/** What people write by hand: an audit row saved from a hook, in the transaction of the change. */
@Entity({ name: "audit_row" })
export class AuditRow {
  @PrimaryGeneratedColumn({ type: "bigint" })
  id!: string

  @Column({ type: "text" })
  action!: string

  @Column({ type: "jsonb", nullable: true })
  before!: unknown

  @Column({ type: "jsonb", nullable: true })
  after!: unknown
}

export const createAuditTable = `CREATE TABLE audit_row (
  id bigserial PRIMARY KEY, action text NOT NULL, before jsonb, after jsonb
)`

@EventSubscriber()
export class AuditSubscriber implements EntitySubscriberInterface {
  async afterInsert({ entity, manager, metadata }: InsertEvent<object>): Promise<void> {
    if (metadata.target === AuditRow) return
    await manager.save(AuditRow, { action: "create", after: { ...entity } })
  }

  async afterUpdate({ entity, databaseEntity, manager, metadata }: UpdateEvent<object>): Promise<void> {
    if (metadata.target === AuditRow) return
    await manager.save(AuditRow, { action: "update", before: { ...databaseEntity }, after: { ...entity } })
  }
}
