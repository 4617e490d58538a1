import type { EventMessage } from "../../events/message"

/** A larger body is sent by itself, in bytes: no server can be told to hang up on a smaller one (proto-max-bulk-len). */
const MAX_SHARED_BYTES = 1024 * 1024

/** The most that goes in one transaction, in characters: the server keeps all of it until EXEC (client-query-buffer-limit). */
const MAX_RUN_CHARACTERS = 16 * 1024 * 1024

/** Messages that are sent together, of the batch they stand in. */
export interface MessageRun {
  readonly from: number
  /** The index after the last one. */
  readonly to: number
}

/** Parts a batch in runs, in order: each as long as it may be, or one message that is too large to share. */
export function messageRuns(messages: readonly EventMessage[]): readonly MessageRun[] {
  const runs: MessageRun[] = []
  let from = 0
  let characters = 0
  messages.forEach(({ body }, index) => {
    const isAlone = isLarge(body)
    if (index > from && (isAlone || characters + body.length > MAX_RUN_CHARACTERS)) {
      runs.push({ from, to: index })
      ;[from, characters] = [index, 0]
    }
    // What comes after a large one finds the run full.
    characters += isAlone ? Infinity : body.length
  })
  return from < messages.length ? [...runs, { from, to: messages.length }] : runs
}

export function isLarge(body: string): boolean {
  // A character has at most three bytes for each unit of its length, which is at hand.
  return body.length * 3 > MAX_SHARED_BYTES && Buffer.byteLength(body) > MAX_SHARED_BYTES
}
