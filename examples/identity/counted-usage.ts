import type { DataSource } from "typeorm"
import type { ProjectUsage } from "./usage-consumer"

interface CountedRow extends ProjectUsage {
  readonly id: string
}

/** The same figures from the tables: what the consumer's must be. */
export async function countedUsage(dataSource: DataSource): Promise<ReadonlyMap<string, ProjectUsage>> {
  const rows = (await dataSource.query(`
    SELECT project.id, count(DISTINCT assignment."userId")::int AS members, count(assignment.*)::int AS "roleAssignments"
    FROM identity.project
    LEFT JOIN identity.role_assignment AS assignment ON assignment."projectId" = project.id
    WHERE project."deletedAt" IS NULL
    GROUP BY project.id
  `)) as readonly CountedRow[]
  return new Map(rows.map(({ id, members, roleAssignments }) => [id, { members, roleAssignments }]))
}
