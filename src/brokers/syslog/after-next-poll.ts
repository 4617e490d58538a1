/**
 * Runs when the event loop has looked at its sockets once more: what a receiver near by answers to a write (a refusal, a
 * reset, or an end that came before it) is known by then. The second immediate runs after a look that began after the first.
 */
export function afterNextPoll(run: () => void): void {
  setImmediate(() => setImmediate(run))
}
