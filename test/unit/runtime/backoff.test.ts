import { backoffMs } from "../../../src/runtime/backoff"

const longest = { random: () => 1 - Number.EPSILON }
const shortest = { random: () => 0 }

describe("backoffMs", () => {
  it("doubles with each failure and stops at the bound", () => {
    const pauses = [1, 2, 3, 4, 5, 6].map((count) => backoffMs(count, { baseMs: 100, maxMs: 1_000, ...longest }))

    expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000])
  })

  it("makes no pause without a failure", () => {
    expect(backoffMs(0, { baseMs: 100, maxMs: 1_000 })).toBe(0)
  })

  it("keeps at least half of the pause with equal jitter", () => {
    expect(backoffMs(3, { baseMs: 100, maxMs: 1_000, jitter: "equal", ...shortest })).toBe(200)
  })

  it("leaves all of the pause to chance with full jitter", () => {
    expect(backoffMs(3, { baseMs: 100, maxMs: 1_000, jitter: "full", ...shortest })).toBe(0)
    expect(backoffMs(3, { baseMs: 100, maxMs: 1_000, jitter: "full", ...longest })).toBe(400)
  })

  it.each([33, 1_100, Number.MAX_SAFE_INTEGER])("stays within the bound after %d failures", (count) => {
    const pause = backoffMs(count, { baseMs: 100, maxMs: 30_000 })

    expect(pause).toBeGreaterThanOrEqual(15_000)
    expect(pause).toBeLessThanOrEqual(30_000)
  })

  it("is no pause at all for a base of zero", () => {
    expect(backoffMs(5_000, { baseMs: 0, maxMs: 30_000 })).toBe(0)
  })
})
