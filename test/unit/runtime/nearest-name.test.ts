import { nearestName } from "../../../src/runtime/nearest-name"

const known = ["topicPrefix", "brokers", "app", "url", "pollIntervalMs"]

describe("nearestName", () => {
  it.each([
    ["topicPrefx", "topicPrefix"],
    ["topicprefix", "topicPrefix"],
    ["broker", "brokers"],
    ["pollInterval", "pollIntervalMs"],
    ["ur", "url"],
  ])("takes %s for %s", (given, expected) => {
    expect(nearestName(given, known)).toBe(expected)
  })

  it("knows nothing near a different word", () => {
    expect(nearestName("colour", known)).toBeUndefined()
  })

  it("prefers the nearest of several", () => {
    expect(nearestName("retrys", ["retry", "retries", "retrys1"])).toBe("retry")
  })

  it("gives up on a name that nobody typed", () => {
    expect(nearestName("x".repeat(1_000_000), ["x".repeat(999_999)])).toBeUndefined()
  })
})
