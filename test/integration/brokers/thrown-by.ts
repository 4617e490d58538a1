import type { ChangeEventsError } from "../../../src/errors"

/** What the promise rejects with. @throws when it does not. */
export async function thrownBy(promise: Promise<unknown>): Promise<ChangeEventsError> {
  const outcome = await promise.then(
    () => undefined,
    (error: ChangeEventsError) => error,
  )
  if (outcome === undefined) throw new Error("nothing was thrown")
  return outcome
}
