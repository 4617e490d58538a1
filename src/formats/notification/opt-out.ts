import { compileTopicPattern } from "../../events/topic-pattern"

/** Whether a notification with this event type and outcome is not to be sent. `otherName` is one more that it is known by. */
export type OptOut = (eventType: string, outcome: string, otherName?: string) => boolean

/**
 * Patterns match the event type, alone or with the outcome after it. A failure is `failure` and `failed`: Keystone sends the
 * one, and its documents name the other.
 */
export function compileOptOut(patterns: readonly string[]): OptOut {
  const matchers = patterns.map(compileTopicPattern)
  return (eventType, outcome, otherName) => {
    const names = [eventType, `${eventType}.${outcome}`]
    if (outcome === "failure") names.push(`${eventType}.failed`)
    if (otherName !== undefined) names.push(otherName)
    return matchers.some((matches) => names.some((name) => matches(name)))
  }
}
