import type { DataSource } from "typeorm"
import type { ColumnMetadata, ImageColumn } from "../capture/image-column"
import { elementSchema, scalarSchema } from "./column-type-schemas"
import { nullable, type JsonSchema } from "./json-schema"

/**
 * What a record shows of the column. A transformer may make anything of it, so such a column has no type; parsers that the
 * application registered with `pg` are not known either.
 */
export function columnSchema({ metadata, hydratedAs, sensitive }: ImageColumn, dataSource: DataSource): JsonSchema {
  const shown = sensitive ? sensitiveSchema(sensitive) : valueSchema(hydratedAs, dataSource)
  const schema = metadata.isNullable ? nullable(shown) : shown
  return metadata.comment ? { ...schema, description: metadata.comment } : schema
}

function sensitiveSchema(mode: "mask" | "hash"): JsonSchema {
  return mode === "mask"
    ? { type: "string", enum: ["***"] }
    : { type: "string", pattern: "^[0-9a-f]{64}$", description: "HMAC-SHA-256 of the value" }
}

function valueSchema(column: ColumnMetadata, dataSource: DataSource): JsonSchema {
  if (column.transformer) return {}
  const ofTypeOrm = typeormSchema(column)
  if (ofTypeOrm) return ofTypeOrm
  const type = dataSource.driver.normalizeType(column)
  if (type === "bigint" && isInt8Parsed(dataSource))
    return column.isArray ? listOf({ type: "integer" }) : { type: "integer" }
  if (!column.isArray) return scalarSchema(type)
  const element = elementSchema(type)
  return element ? listOf(nullable(element)) : {}
}

/** Types that TypeORM reads itself, whatever Postgres and the driver make of them. */
function typeormSchema(column: ColumnMetadata): JsonSchema | undefined {
  switch (column.type) {
    case "enum":
    case "simple-enum":
      return column.isArray ? listOf({ enum: column.enum }) : { enum: column.enum }
    case "simple-array":
      return listOf({ type: "string" })
    case "simple-json":
      return {}
    case "hstore":
      return column.hstoreType === "object"
        ? { type: "object", additionalProperties: { type: ["string", "null"] } }
        : undefined
    case "cube":
      return column.isArray ? {} : undefined
    default:
      return undefined
  }
}

function listOf(items: JsonSchema): JsonSchema {
  return { type: "array", items }
}

function isInt8Parsed({ options }: DataSource): boolean {
  return "parseInt8" in options && options.parseInt8 === true
}
