import type { ChangeEventsStatus } from "../../src"
import type { Narration } from "./narration"
import type { Story } from "./requests"

/** Tells how it went; false when something was not as it should be. */
export function summarise(story: Story, status: ChangeEventsStatus, narration: Narration): boolean {
  const { statements, rows } = status.uncaptured
  narration.heading("Summary")
  narration.line(`  requests    ${story.requests}`)
  narration.line(`  events      ${story.events}`)
  for (const [name, broker] of Object.entries(status.brokers)) {
    const { delivered, failed, dropped, queued, state } = broker
    narration.line(
      `  ${name.padEnd(11)} ${delivered} delivered, ${failed} failed, ${dropped} dropped, ${queued} queued (${state})`,
    )
  }
  narration.line(`  uncaptured  ${statements}${rows === 0 ? "" : ` statements, ${rows} rows`}\n`)

  const lost = Object.entries(status.brokers).filter(([, { delivered }]) => delivered !== story.events)
  const surprises = [...story.surprises, ...lost.map(([name]) => `${name} did not get every event`)]
  if (statements > 0) surprises.push("a write was not captured")
  for (const surprise of surprises) narration.line(`  UNEXPECTED: ${surprise}`)
  return surprises.length === 0
}
