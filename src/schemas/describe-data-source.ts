import type { DataSource } from "typeorm"
import type { CaptureOptions } from "../capture/capture-options"
import { CAPTURE, findCapture, type CapturingSubscriber } from "../capture/find-capture"
import { asError, ChangeEventsError } from "../errors"

/**
 * Builds what TypeORM knows of the entities, without a connection. `initialize()` connects first and has no other public form, so this
 * calls the step of it that does the work, as TypeORM's own tests do.
 *
 * @throws ChangeEventsError TYPEORM_UNSUPPORTED when there is no such step, DATA_SOURCE_NOT_LOADED when an entity is wrong.
 */
export async function buildMetadata(dataSource: DataSource): Promise<void> {
  if (dataSource.entityMetadatas.length > 0) return
  if (typeof dataSource["buildMetadatas"] !== "function") {
    throw new ChangeEventsError("TYPEORM_UNSUPPORTED", "this TypeORM cannot build metadata without a connection")
  }
  try {
    await dataSource["buildMetadatas"]()
  } catch (thrown) {
    const cause = asError(thrown)
    const message = `the DataSource's entities cannot be read: ${cause.message}${typeAdvice(cause)}`
    throw new ChangeEventsError("DATA_SOURCE_NOT_LOADED", message, { cause })
  }
}

/**
 * The options of the `changeEvents()` whose subscriber the DataSource has; undefined when it has none. Needs its metadata.
 *
 * @throws ChangeEventsError CAPTURE_FAILED when that one cannot capture it, for the reason that it has just reported.
 */
export function captureOptionsOf(dataSource: DataSource): CaptureOptions | undefined {
  const capture = findCapture(dataSource)
  if (capture) return capture.environment.options
  const subscribers = dataSource.subscribers as readonly Partial<CapturingSubscriber>[]
  if (subscribers.every((subscriber) => subscriber[CAPTURE] === undefined)) return undefined
  throw new ChangeEventsError("CAPTURE_FAILED", "this DataSource cannot be captured, for the reason reported above")
}

/** esbuild, and with it tsx, leaves out the metadata that tells TypeORM the type of a column. */
function typeAdvice({ name }: Error): string {
  const isAboutType = name === "ColumnTypeUndefinedError" || name === "DataTypeNotSupportedError"
  return isAboutType ? ". Give the column a `type`, or install ts-node, which keeps what decorators know of types" : ""
}
