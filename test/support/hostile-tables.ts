import { EntitySchema, type EntitySchemaColumnOptions, type ObjectLiteral } from "typeorm"
import type { PostgresVersion } from "../servers/postgres"

type Columns = Record<string, EntitySchemaColumnOptions>

/** A table that is hard to capture, with rows for every main write. */
export interface HostileTable {
  readonly title: string
  /** Made in this order; the last is the one that is written to. */
  readonly entities: readonly EntitySchema<ObjectLiteral>[]
  readonly tables: (version: PostgresVersion) => readonly string[]
  /** The n-th row, new each time. */
  readonly row: (n: number) => ObjectLiteral
  /** What is set in an update. */
  readonly change: (n: number) => ObjectLiteral
  /** Names of the key's properties. */
  readonly key: readonly string[]
  readonly isSoftDeletable?: boolean
  /** From one partition to another. */
  readonly rowsMove?: boolean
  /** Rows of `entities` that must be there before. */
  readonly before?: readonly (readonly [entity: string, row: ObjectLiteral])[]
}

/** The role that the application writes as: the owner of nothing. */
export const HOSTILE_ROLE = "hostile_application"

const id: EntitySchemaColumnOptions = { type: "int", primary: true }
const text: EntitySchemaColumnOptions = { type: "text", nullable: true }

const entity = (name: string, columns: Columns, tableName = name, schema = "hostile"): EntitySchema<ObjectLiteral> =>
  new EntitySchema<ObjectLiteral>({ name, schema, tableName, columns: { id, ...columns } })

const NAMES = {
  mixed: "Mixed Case",
  dotted: "a.b",
  quoted: `double"quote`,
  apostrophe: "it's",
  dollar: "$1",
  colon: "a: b",
  percent: "100%",
  comment: "--",
  unicode: "größe 🔑",
} as const

const RESERVED = ["select", "from", "where", "table", "group", "order", "user", "set", "returning", "excluded", "old"]

const named = (names: Readonly<Record<string, string>>): Columns =>
  Object.fromEntries(Object.entries(names).map(([property, name]) => [property, { ...text, name }]))

const textColumns = (names: readonly string[]): string => names.map((name) => `${quoted(name)} text`).join(", ")
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const all = (names: readonly string[], value: (name: string) => string): ObjectLiteral =>
  Object.fromEntries(names.map((name) => [name, value(name)]))

const quotedNames: HostileTable = {
  title: "names that must be quoted",
  entities: [entity("quotedNames", named(NAMES), "The Table, it's")],
  tables: () => [`CREATE TABLE hostile."The Table, it's" (id int PRIMARY KEY, ${textColumns(Object.values(NAMES))})`],
  row: (n) => ({ id: n, ...all(Object.keys(NAMES), (name) => `${name} ${n}`) }),
  change: (n) => ({ dotted: `changed ${n}`, unicode: null, quoted: 'a"b\\c,(d)\n' }),
  key: ["id"],
}

const reserved = (table: string): HostileTable => ({
  title: `a table called "${table}", and columns by reserved words`,
  entities: [entity(`reserved_${table}`, named(Object.fromEntries(RESERVED.map((name) => [name, name]))), table)],
  tables: () => [`CREATE TABLE hostile."${table}" (id int PRIMARY KEY, ${textColumns(RESERVED)})`],
  row: (n) => ({ id: n, ...all(RESERVED, (name) => `${name} ${n}`) }),
  change: (n) => ({ old: `changed ${n}`, table: null }),
  key: ["id"],
})

/** Beside it stands a table of the same name and other columns, in another schema. */
const namesake = (schema: string, column: string): HostileTable => ({
  title: `a table of the same name as another's, in "${schema}"`,
  entities: [entity(`item in ${schema}`, { [column]: text }, "item", schema)],
  tables: () => [`CREATE TABLE "${schema}".item (id int PRIMARY KEY, ${column} text)`],
  row: (n) => ({ id: n, [column]: `${schema} ${n}` }),
  change: (n) => ({ [column]: `changed ${n}` }),
  key: ["id"],
})

const compositeForeignKey: HostileTable = {
  title: "a composite foreign key",
  entities: [
    new EntitySchema<ObjectLiteral>({
      name: "tenant_parent",
      schema: "hostile",
      columns: { tenant: { type: "text", primary: true }, id },
    }),
    new EntitySchema<ObjectLiteral>({
      name: "tenant_child",
      schema: "hostile",
      columns: { tenant: { type: "text", primary: true }, id, name: text },
      relations: {
        parent: {
          type: "many-to-one",
          target: "tenant_parent",
          onDelete: "CASCADE",
          joinColumn: [
            { name: "tenant", referencedColumnName: "tenant" },
            { name: "parent_id", referencedColumnName: "id" },
          ],
        },
      },
    }),
  ],
  tables: () => [
    "CREATE TABLE hostile.tenant_parent (tenant text, id int, PRIMARY KEY (tenant, id))",
    `CREATE TABLE hostile.tenant_child (tenant text, id int, name text, parent_id int, PRIMARY KEY (tenant, id),
       FOREIGN KEY (tenant, parent_id) REFERENCES hostile.tenant_parent (tenant, id) ON DELETE CASCADE)`,
  ],
  before: [1, 2].map((each) => ["tenant_parent", { tenant: "t,1", id: each }] as const),
  row: (n) => ({ tenant: "t,1", id: n, name: `child ${n}`, parent: { tenant: "t,1", id: 1 + (n % 2) } }),
  change: (n) => ({ name: `changed ${n}` }),
  key: ["tenant", "id"],
}

const partitioned: HostileTable = {
  title: "a partitioned table, whose rows move",
  entities: [
    new EntitySchema<ObjectLiteral>({
      name: "parted",
      schema: "hostile",
      columns: { id, region: { type: "int", primary: true }, name: text, moved: { type: "int", nullable: true } },
    }),
  ],
  tables: () => [
    `CREATE TABLE hostile.parted (id int, region int, name text, moved int, PRIMARY KEY (id, region)) PARTITION BY LIST (region)`,
    ...[1, 2, 3].map((n) => `CREATE TABLE hostile.parted_${n} PARTITION OF hostile.parted FOR VALUES IN (${n})`),
  ],
  row: (n) => ({ id: n, region: 1 + (n % 2), name: `row ${n}`, moved: n }),
  change: (n) => ({ name: `changed ${n}` }),
  key: ["id", "region"],
  rowsMove: true,
}

const generated: HostileTable = {
  title: "generated columns",
  entities: [
    entity("generated", {
      price: { type: "numeric", precision: 10, scale: 2, nullable: true },
      count: { type: "int", nullable: true },
      total: { type: "numeric", generatedType: "STORED", asExpression: "price * count", nullable: true },
      label: { type: "text", nullable: true, insert: false, update: false },
      deletedAt: { type: "timestamptz", deleteDate: true, nullable: true },
    }),
  ],
  tables: () => [
    `CREATE TABLE hostile.generated (id int PRIMARY KEY, price numeric(10, 2), count int, "deletedAt" timestamptz,
       total numeric GENERATED ALWAYS AS (price * count) STORED,
       label text GENERATED ALWAYS AS ('no. ' || count) STORED)`,
  ],
  row: (n) => ({ id: n, price: "1.50", count: n }),
  change: (n) => ({ count: 10 * n }),
  key: ["id"],
  isSoftDeletable: true,
}

const secured: HostileTable = {
  title: "a table with row-level security",
  entities: [entity("secured", { owner: text, name: text })],
  tables: () => [
    "CREATE TABLE hostile.secured (id int PRIMARY KEY, owner text DEFAULT current_user, name text)",
    "ALTER TABLE hostile.secured ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY own ON hostile.secured USING (owner = current_user)",
    "INSERT INTO hostile.secured VALUES (100, 'somebody', 'hidden'), (101, 'somebody', 'hidden')",
  ],
  row: (n) => ({ id: n, owner: HOSTILE_ROLE, name: `row ${n}` }),
  change: (n) => ({ name: `changed ${n}` }),
  key: ["id"],
}

/** Of many types, one after the other: what a column is must not be lost where its row is one text. */
const KINDS = [
  ["text", 'a"b\\c,(d)\n', ""],
  ["int", 7, 8],
  ["timestamptz", new Date("2026-01-02T03:04:05.678Z"), null],
  ["jsonb", { a: ["b", 1, null] }, []],
  ["numeric", "12.50", "0.1"],
  ["bytea", Buffer.from([0, 255, 34]), Buffer.from("x")],
  ["bool", true, false],
] as const

const kind = (at: number): (typeof KINDS)[number] => KINDS[at % KINDS.length] as (typeof KINDS)[number]

const wide = (count: number, defaults: string | undefined = undefined): HostileTable => {
  const name = `wide${count}${defaults ? "_with_defaults" : ""}`
  const names = Array.from({ length: count - 1 }, (_, at) => `column_${at}`)
  const type = (at: number): "text" | (typeof KINDS)[number][0] => (defaults ? "text" : kind(at)[0])
  const value = (at: number, side: 1 | 2): unknown => (defaults ? String(side) : kind(at)[side])
  const values = (side: 1 | 2, step: number): ObjectLiteral =>
    Object.fromEntries(names.flatMap((column, at) => (at % step === 0 ? [[column, value(at, side)]] : [])))
  return {
    title: `a table of ${count} columns${defaults ? ", which all have defaults" : ""}`,
    entities: [
      entity(
        name,
        Object.fromEntries(names.map((column, at) => [column, { type: type(at), nullable: true, default: defaults }])),
      ),
    ],
    tables: () => [
      `CREATE TABLE hostile.${name} (id int PRIMARY KEY, ${names
        .map((column, at) => `${column} ${type(at)} ${defaults ? `DEFAULT '${defaults}'` : ""}`)
        .join(", ")})`,
    ],
    row: (n) => ({ id: n, ...values(1, n % 2 ? 1 : 3) }),
    change: () => values(2, 5),
    key: ["id"],
  }
}

export const hostileTables: readonly HostileTable[] = [
  quotedNames,
  reserved("order"),
  reserved("old"),
  namesake("hostile", "name"),
  namesake("Odd Schema", "label"),
  compositeForeignKey,
  partitioned,
  generated,
  secured,
  wide(60),
  wide(900),
  wide(900, "d"),
]
