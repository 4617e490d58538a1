import type { EntityMetadata } from "typeorm"
import type { TableCoverage } from "./uncaptured-writes"

/** Whether writes to a table make events, by every name that raw SQL may have for it. */
export class NamedCoverage {
  private readonly byName = new Map<string, TableCoverage>()

  /** undefined: TypeORM knows no table of that name. */
  of(name: string): TableCoverage | undefined {
    return this.byName.get(name)
  }

  cover(metadata: EntityMetadata, coverage: TableCoverage): void {
    for (const name of namesOf(metadata)) {
      // A table of the same name in another schema may be captured: raw SQL that leaves the schema out is then reported.
      if (!this.byName.has(name) || coverage === "captured") this.byName.set(name, coverage)
    }
  }

  /** Where it was `before`. */
  replace(metadata: EntityMetadata, before: TableCoverage, after: TableCoverage): void {
    for (const name of namesOf(metadata)) if (this.byName.get(name) === before) this.byName.set(name, after)
  }
}

/** As raw SQL may call the table. */
function namesOf({ tablePath, tableName, schema }: EntityMetadata): readonly string[] {
  return [tablePath, tableName, `${schema ?? "public"}.${tableName}`]
}
