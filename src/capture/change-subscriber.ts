import {
  EventSubscriber,
  type BeforeQueryEvent,
  type DataSource,
  type EntitySubscriberInterface,
  type ObjectLiteral,
} from "typeorm"
import { asError, ChangeEventsError } from "../errors"
import { Capture, type CaptureEnvironment } from "./capture"
import { captureConnection, type CapturedConnection } from "./captured-connection"
import type { DriverConnection } from "./driver-connection"
import { CAPTURE, type CapturingSubscriber } from "./find-capture"
import { checkDataSource, installCapturingBuilders } from "./install-builders"

/** One for each DataSource and initialisation: TypeORM makes it anew from `options.subscribers` each time. */
export interface ChangeSubscriber extends EntitySubscriberInterface<ObjectLiteral>, CapturingSubscriber {
  readonly owner: object
}

export type ChangeSubscriberClass = new () => ChangeSubscriber

/**
 * The class for `DataSourceOptions.subscribers`. The subscriber makes its DataSource's builders capture, and its connections.
 *
 * @throws ChangeEventsError TYPEORM_UNSUPPORTED, at start, when this TypeORM cannot be captured.
 */
export function changeSubscriber(owner: object, environment: CaptureEnvironment): ChangeSubscriberClass {
  class Subscriber implements ChangeSubscriber {
    readonly owner = owner
    private capture: Capture | undefined
    private failed = false

    constructor() {
      installCapturingBuilders()
    }

    /** Before the first statement on it, every connection is made to tell us its statements and the server's answers. */
    beforeQuery(event: BeforeQueryEvent): void {
      const capture = this[CAPTURE](event.dataSource)
      const connection = (event.queryRunner as unknown as { databaseConnection?: DriverConnection }).databaseConnection
      if (capture && connection) captureConnection(connection, capture)
    }

    [CAPTURE](dataSource: DataSource): Capture | undefined {
      if (!this.capture && !this.failed) this.start(dataSource)
      return this.capture
    }

    /** Never throws: this runs inside other people's statements. What is wrong is reported, and nothing is captured. */
    private start(dataSource: DataSource): void {
      try {
        checkDataSource(dataSource)
        checkOwner(dataSource, owner)
        this.capture = new Capture(dataSource, environment)
        remember(this.capture)
      } catch (thrown) {
        this.failed = true
        const cause = asError(thrown)
        environment.report(
          cause instanceof ChangeEventsError
            ? cause
            : new ChangeEventsError("CAPTURE_FAILED", cause.message, { cause }),
        )
      }
    }
  }
  EventSubscriber()(Subscriber)
  return Subscriber
}

/** DataSources that were destroyed are forgotten: a service may make and destroy one for each tenant. */
function remember(capture: Capture): void {
  const { captures } = capture.environment
  for (const known of captures) {
    if (known.dataSource === capture.dataSource || !known.dataSource.isInitialized) captures.delete(known)
  }
  captures.add(capture)
}

function checkOwner(dataSource: DataSource, owner: object): void {
  const others = (dataSource.subscribers as readonly Partial<ChangeSubscriber>[]).filter(
    (subscriber) => subscriber[CAPTURE] !== undefined && subscriber.owner !== owner,
  )
  if (others.length === 0) return
  throw new ChangeEventsError("DATA_SOURCE_TAKEN", "another changeEvents() already captures this DataSource")
}

/** The capture of the connection that the query runner writes through. */
export async function connectionOf(
  capture: Capture,
  queryRunner: { connect(): Promise<unknown> },
): Promise<CapturedConnection> {
  return captureConnection((await queryRunner.connect()) as DriverConnection, capture)
}
