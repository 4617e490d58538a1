import * as topicPattern from "../../../src/events/topic-pattern"
import { record } from "../../../src/formats/record"
import { compileRoute, rememberingFilter } from "../../../src/publishing/route"

describe("a route", () => {
  it("matches every topic and has the record format by default", () => {
    const recordFormat = record()

    const { matches, format } = compileRoute({}, recordFormat)

    expect([matches("update.dcim.device"), format]).toEqual([true, recordFormat])
  })

  it("has the broker's own format", () => {
    const own = () => undefined

    expect(compileRoute({ format: own }, record()).format).toBe(own)
  })

  it("gives the same verdict each time, and matches a topic only once", () => {
    const matcher = jest.fn((topic: string) => topic === "update.dcim.device")
    jest.spyOn(topicPattern, "topicFilter").mockReturnValueOnce(matcher)
    const matches = rememberingFilter({})

    const verdicts = ["update.dcim.device", "update.dcim.cable", "update.dcim.device", "update.dcim.cable"].map(matches)

    expect(verdicts).toEqual([true, false, true, false])
    expect(matcher).toHaveBeenCalledTimes(2)
  })

  it("is right about more topics than it remembers", () => {
    const matches = rememberingFilter({ exclude: ["*7"] })

    const topics = Array.from({ length: 5_000 }, (_, index) => `order.placed.${index}`)

    expect(topics.filter((topic) => !matches(topic))).toHaveLength(500)
  })
})
