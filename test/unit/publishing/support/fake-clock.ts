import type { Clock } from "../../../../src/publishing/clock"

export interface FakeClock extends Clock {
  /** Lets the time pass; every timer that is due runs, with the work it starts. */
  advance(ms: number): Promise<void>
  /** Jumps from timer to timer until the work is done: what takes an hour takes no time. */
  drive<Result>(work: Promise<Result>): Promise<Result>
  /** How long each timer that waits was set for, in milliseconds. */
  readonly delays: readonly number[]
}

interface Timer {
  readonly at: number
  readonly delayMs: number
  readonly run: () => void
  /** Somebody's patience: it must not end while deliveries are still at work, however slow the machine is. */
  readonly isPatience: boolean
}

/** Turns of the event loop after which work that has not finished is not going to. */
const PATIENT_TURNS = 2_000

/** A clock that stands still at the first minute of 2026. */
export function createFakeClock(): FakeClock {
  const timers = new Set<Timer>()
  let now = Date.UTC(2026, 0, 1)

  const earliest = (): Timer | undefined => [...timers].sort((one, other) => one.at - other.at)[0]
  const fire = (timer: Timer): void => {
    timers.delete(timer)
    now = Math.max(now, timer.at)
    timer.run()
  }
  const advance = async (ms: number): Promise<void> => {
    const until = now + ms
    await workIsDone()
    for (let due = earliest(); due !== undefined && due.at <= until; due = earliest()) {
      fire(due)
      await workIsDone()
    }
    now = until
  }
  const drive = async <Result>(work: Promise<Result>): Promise<Result> => {
    let isDone = false
    const done = (): void => void (isDone = true)
    work.then(done, done)
    for (await workIsDone(); !isDone; await workIsDone()) {
      const next = earliest()
      if (next?.isPatience) await turns(PATIENT_TURNS, () => isDone || earliest() !== next)
      if (next !== undefined && !isDone && earliest() === next) fire(next)
    }
    return work
  }
  return {
    now: () => now,
    after: (delayMs, run, options) => {
      const timer = { at: now + delayMs, delayMs, run, isPatience: options?.keepAlive === true }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance,
    drive,
    get delays() {
      return [...timers].map(({ delayMs }) => delayMs)
    },
  }
}

/** A few turns of the event loop: what the last timer started has come to its next wait. */
export async function workIsDone(): Promise<void> {
  await turns(5, () => false)
}

async function turns(count: number, isOver: () => boolean): Promise<void> {
  for (let turn = 0; turn < count && !isOver(); turn++) await new Promise((resolve) => setImmediate(resolve))
}
