import "reflect-metadata"
import { isDeepStrictEqual } from "node:util"
import type { DataSource, EntityTarget, ObjectLiteral } from "typeorm"
import { columnSamples, type ColumnSamples } from "../../fixtures/hostile/column-samples"
import { GeneratedTypes } from "../../fixtures/hostile/column-types/generated-types"
import { columnTypeEntities } from "../../fixtures/hostile/hostile-entities"
import type { PostgresVersion } from "../servers/postgres"
import { captureDatabase, type CapturedDatabase } from "./captured-database"
import { expectedChanges, toldChange, type ExpectedChange } from "./expected-changes"
import { installGroundTruth } from "./ground-truth"
import type { Image } from "./reload"
import { reloadWithTypeORM } from "./reload-with-typeorm"

// A reload of GeneratedTypes has virtual columns, too, and versions that no event is told of: triggers alone say what it is.

/** What the program prints. */
export interface ColumnTypeReport {
  /** Of the process, in minutes west of Greenwich in January. */
  readonly timezoneOffset: number
  /** How many changes each column's samples made. */
  readonly changes: Readonly<Record<string, number>>
  /** Where an event is not what the database's triggers saw, or not what TypeORM reloads. */
  readonly faults: readonly unknown[]
}

const date = new Date("2024-11-03T05:30:00.5Z")

const samples: readonly ColumnSamples[] = [
  ...columnSamples,
  {
    entity: GeneratedTypes,
    values: {
      name: ["a", "b"],
      quantity: [3, 4],
      price: ["1.005", 2],
      expiresAt: ["2024-07-01 00:00:00.5", date],
      createdAt: ["2024-03-10 02:30:00", date],
    },
  },
]

/** A program of its own, because the time zone is a process'. `argv[2]` is the Postgres to run on. */
async function main(): Promise<void> {
  const version = Number(process.argv[2]) as PostgresVersion
  const captured = await captureDatabase(version, { dataSource: { entities: [...columnTypeEntities, GeneratedTypes] } })
  try {
    process.stdout.write(JSON.stringify(await report(captured)))
  } finally {
    await captured.close()
  }
}

async function report(captured: CapturedDatabase): Promise<ColumnTypeReport> {
  const { dataSource, database } = captured
  const truth = await installGroundTruth(database.url)
  const changes: Record<string, number> = {}
  const faults: unknown[] = []
  for (const { entity, values } of samples) {
    const { name } = dataSource.getMetadata(entity)
    await truth.reset()
    const told: ExpectedChange[] = []
    for (const [property, column] of Object.entries(values)) {
      await writeSamples(dataSource, entity, property, column)
      const events = await captured.events()
      changes[`${name}.${property}`] = events.length
      told.push(...events.map(toldChange))
    }
    const reloaded = await reloadWithTypeORM(dataSource, entity)
    const isReloaded = entity === GeneratedTypes || isDeepStrictEqual(lastImages(told), reloaded)
    if (!isReloaded) faults.push({ name, told: lastImages(told), reloaded })
    await dataSource.manager.deleteAll(entity)
    told.push(...(await captured.events()).map(toldChange))
    faults.push(...differencesOf(told, await expectedChanges(dataSource, await truth.changesSince())))
  }
  return { timezoneOffset: new Date(2024, 0, 1).getTimezoneOffset(), changes, faults }
}

/** Each value is inserted, becomes the next one by an update and by an upsert, and becomes NULL and itself again by a save. */
async function writeSamples(
  dataSource: DataSource,
  entity: EntityTarget<ObjectLiteral>,
  property: string,
  values: readonly unknown[],
): Promise<void> {
  const { manager } = dataSource
  const metadata = dataSource.getMetadata(entity)
  const isNullable = metadata.findColumnWithPropertyName(property)?.isNullable === true
  const column = metadata.findColumnWithPropertyName(property)?.databaseName as string
  const version = metadata.versionColumn ? [metadata.versionColumn.propertyName] : []
  for (const [index, value] of values.entries()) {
    const next = values[(index + 1) % values.length]
    const { identifiers } = await manager.insert(entity, { [property]: value })
    const id = (identifiers[0] as { id: unknown }).id
    await manager.update(entity, { id }, { [property]: next })
    const upsert = manager
      .createQueryBuilder()
      .insert()
      .into(entity, ["id", property, ...version])
    await upsert
      .values({ id, [property]: value })
      .orUpdate([column], ["id"])
      .execute()
    if (isNullable) await manager.save(entity, { id, [property]: null })
    await manager.save(entity, { id, [property]: next })
  }
}

function differencesOf(told: readonly ExpectedChange[], expected: readonly ExpectedChange[]): unknown[] {
  const length = Math.max(told.length, expected.length)
  return Array.from({ length }, (_, index) => ({ told: told[index], expected: expected[index] })).filter(
    (pair) => !isDeepStrictEqual(pair.told, pair.expected),
  )
}

/** What the events say that the rows are now, in the order of their keys. */
function lastImages(told: readonly ExpectedChange[]): Image[] {
  const last = new Map(told.map(({ postchange }) => [Number(postchange?.["id"]), postchange as Image]))
  return [...last].sort(([a], [b]) => a - b).map(([, image]) => image)
}

void main()
