import type { JsonSchema } from "./json-schema"

const TEXT: JsonSchema = { type: "string" }
const INTEGER: JsonSchema = { type: "integer" }
const DATE_TIME: JsonSchema = { type: "string", format: "date-time" }
/** JSON has no such numbers, so a record has them as texts. */
const FLOAT: JsonSchema = { anyOf: [{ type: "number" }, { enum: ["NaN", "Infinity", "-Infinity"] }] }
const POINT = { x: FLOAT, y: FLOAT }

/** What a column of a Postgres type holds in a record, by the name that TypeORM's driver normalises the type to. */
const scalars: Readonly<Record<string, JsonSchema>> = {
  integer: INTEGER,
  smallint: INTEGER,
  oid: INTEGER,
  bigint: { type: "string", pattern: "^-?[0-9]+$" },
  numeric: { type: "string", pattern: "^(-?[0-9]+(\\.[0-9]+)?|NaN|-?Infinity)$" },
  real: FLOAT,
  "double precision": FLOAT,
  boolean: { type: "boolean" },
  bytea: { type: "string", contentEncoding: "base64" },
  uuid: { type: "string", format: "uuid" },
  date: { type: "string", format: "date" },
  "timestamp without time zone": DATE_TIME,
  "timestamp with time zone": DATE_TIME,
  interval: { type: "object", additionalProperties: { type: "number" } },
  point: { type: "object", properties: POINT, required: ["x", "y"] },
  circle: { type: "object", properties: { ...POINT, radius: FLOAT }, required: ["x", "y", "radius"] },
  cube: { type: "array", items: { type: "number" } },
  vector: { type: "array", items: { type: "number" } },
  halfvec: { type: "array", items: { type: "number" } },
}

const texts: ReadonlySet<string> = new Set([
  ...["character varying", "character", "text", "citext", "money", "bit", "bit varying", "xml", "tsvector", "tsquery"],
  ...["hstore", "ltree", "time without time zone", "time with time zone", "cidr", "inet", "macaddr", "macaddr8"],
  ...["line", "lseg", "box", "path", "polygon"],
  ...["int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"],
  ...["int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange"],
])

/** What the driver makes a list of; of other types it leaves the list as Postgres writes it. */
const elements: Readonly<Record<string, JsonSchema>> = {
  integer: INTEGER,
  smallint: INTEGER,
  bigint: { type: "string", pattern: "^-?[0-9]+$" },
  numeric: FLOAT,
  real: FLOAT,
  "double precision": FLOAT,
  boolean: { type: "boolean" },
  uuid: TEXT,
  text: TEXT,
  "character varying": TEXT,
  character: TEXT,
  date: TEXT,
  "timestamp without time zone": DATE_TIME,
  "timestamp with time zone": DATE_TIME,
}

/** The empty schema for what is not known: a type of an extension, a domain, JSON. */
export function scalarSchema(type: string): JsonSchema {
  return scalars[type] ?? (texts.has(type) ? TEXT : {})
}

/** What one element of a list is; undefined when it is not known. Elements may be null in any case. */
export function elementSchema(type: string): JsonSchema | undefined {
  return elements[type]
}
