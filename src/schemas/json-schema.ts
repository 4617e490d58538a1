/** A JSON Schema of draft 7, which AsyncAPI's own is a superset of. The empty one allows everything. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

export const NULL: JsonSchema = { type: "null" }

/** The same schema, or null. */
export function nullable(schema: JsonSchema): JsonSchema {
  if (Object.keys(schema).length === 0) return schema
  const { type, enum: values } = schema
  const wider = Array.isArray(values) ? { ...schema, enum: [...values, null] } : schema
  if (typeof type === "string") return { ...wider, type: [type, "null"] }
  return wider === schema ? { anyOf: [schema, NULL] } : wider
}

/** An object of exactly these properties. */
export function closedObject(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false }
}

/** A reference into the same document: `reference("components", "schemas", "context")`. */
export function reference(...path: readonly string[]): JsonSchema {
  const pointer = path.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")))
  return { $ref: `#/${pointer.join("/")}` }
}
