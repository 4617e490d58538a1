import { access } from "node:fs/promises"
import { createRequire } from "node:module"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import type { DataSource } from "typeorm"
import { asError, ChangeEventsError } from "../errors"
import { registerTypescript } from "./register-typescript"

/**
 * The one DataSource that a file exports, under any name or by a promise.
 *
 * @throws ChangeEventsError DATA_SOURCE_NOT_LOADED, TYPESCRIPT_UNSUPPORTED
 */
export async function loadDataSource(path: string): Promise<DataSource> {
  const file = resolve(path)
  await access(file).catch((cause: unknown) => {
    throw notLoaded(`there is no file \`${path}\``, cause)
  })
  const exported = await moduleOf(file)
  const dataSources = await exportedDataSources(exported).catch((thrown: unknown) => {
    throw notLoaded(`\`${path}\` exports a promise that was rejected: ${asError(thrown).message}`, thrown)
  })
  const [dataSource] = dataSources
  if (dataSource && dataSources.length === 1) return dataSource
  throw notLoaded(`\`${path}\` must export one DataSource, and exports ${dataSource ? dataSources.length : "none"}`)
}

async function moduleOf(file: string): Promise<object> {
  const isTypescript = /\.[cm]?ts$/.test(file)
  if (isTypescript) registerTypescript(file)
  try {
    return (isTypescript ? createRequire(file)(file) : await import(pathToFileURL(file).href)) as object
  } catch (thrown) {
    const { message } = asError(thrown)
    const advice = isTypescript && /^Column type for .* is not defined/.test(message) ? TYPES_LEFT_OUT : ""
    throw notLoaded(`\`${file}\` cannot be loaded: ${message}${advice}`, thrown)
  }
}

/** What else TypeORM could mean is in order where the application itself runs. */
const TYPES_LEFT_OUT =
  " Where it is loaded by tsx, this leaves out what decorators know of types: name the `type` of each column, or install ts-node and typescript@5."

/** An import of CommonJS has its exports once more under `default`. */
async function exportedDataSources(exported: object): Promise<DataSource[]> {
  const { default: inner } = exported as { readonly default?: unknown }
  const values: unknown[] = []
  for (const value of [exported, ...Object.values(exported), ...valuesOf(inner)]) values.push(await value)
  return [...new Set(values.filter(isDataSource))]
}

function valuesOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null && !isDataSource(value) ? Object.values(value) : []
}

/** TypeORM's own mark, which another copy of TypeORM has as well. */
function isDataSource(value: unknown): value is DataSource {
  return typeof value === "object" && value !== null && Reflect.get(value, "@instanceof") === Symbol.for("DataSource")
}

function notLoaded(message: string, cause?: unknown): ChangeEventsError {
  return new ChangeEventsError("DATA_SOURCE_NOT_LOADED", message, cause === undefined ? {} : { cause })
}
