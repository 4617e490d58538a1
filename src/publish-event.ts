import type { DataSource, EntityManager, QueryRunner } from "typeorm"
import { applicationEvent, noContext } from "./application-event"
import type { Capture } from "./capture/capture"
import { connectionOf } from "./capture/change-subscriber"
import { CommitTally } from "./capture/commit-tally"
import { findCapture } from "./capture/find-capture"
import { ChangeEventsError } from "./errors"
import type { PendingEvent } from "./events/sink"
import type { EventDelivery } from "./event-delivery"

export interface PublishOptions {
  /** The transaction that the event belongs to: it leaves when this one commits, and never if it does not. */
  readonly manager?: EntityManager | undefined
  /** Whether it stays in this process, for listeners of `changes.on`. Default false. */
  readonly internal?: boolean
}

export interface KeyedPublishOptions extends PublishOptions {
  /** What its order is kept for. Default: the topic. */
  readonly key?: string
}

export type PublishEvent = (topic: string, payload: unknown, options?: KeyedPublishOptions) => Promise<void>

/** Events that an application makes itself: into the transaction of `manager` while one is open there, else to their delivery at once. */
export function eventPublisher(delivery: Pick<EventDelivery, "publish" | "outbox">): PublishEvent {
  return async (topic, payload, { manager, internal: isInternal, key } = {}) => {
    checkTopic(topic)
    if (!manager?.queryRunner) {
      return publishNow(delivery, applicationEvent(topic, payload, { fallback: noContext(), isInternal, key }), manager)
    }
    checkRunner(manager.queryRunner)
    const connection = await connectionOf(captureOf(manager.dataSource), manager.queryRunner)
    const { log } = connection
    const event = applicationEvent(topic, payload, { fallback: log.fallbackContext, isInternal, key })
    if (!log.isOpen) return publishNow(delivery, event, manager)
    log.add([event])
    await connection.writeIfFull()
  }
}

async function publishNow(
  delivery: Pick<EventDelivery, "publish" | "outbox">,
  event: PendingEvent,
  manager: EntityManager | undefined,
): Promise<void> {
  await delivery.publish(event, manager)
  const tally = new CommitTally(delivery.outbox ? "outbox" : "direct")
  tally.add([event], 0)
  tally.tell()
}

function captureOf(dataSource: DataSource): Capture {
  const capture = findCapture(dataSource)
  if (capture) return capture
  const message = "publish() was given a manager whose DataSource has no subscriber of this package"
  throw new ChangeEventsError("DATA_SOURCE_NOT_ATTACHED", message)
}

/** Its connection may by now be in somebody else's transaction. */
function checkRunner({ isReleased }: QueryRunner): void {
  if (!isReleased) return
  throw new ChangeEventsError("OPTIONS_INVALID", "publish() was given a manager whose query runner is released")
}

function checkTopic(topic: unknown): void {
  if (typeof topic === "string" && topic !== "") return
  throw new ChangeEventsError("OPTIONS_INVALID", "publish() needs a topic, which is a text that is not empty")
}
