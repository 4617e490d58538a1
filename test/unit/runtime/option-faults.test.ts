import { unknownKeyFaults } from "../../../src/runtime/option-faults"

describe("unknownKeyFaults", () => {
  it("finds nothing wrong with known keys", () => {
    expect(unknownKeyFaults({ url: "redis://localhost" }, ["url", "client"])).toEqual([])
  })

  it("names the option that was probably meant", () => {
    const faults = unknownKeyFaults({ topicPrefx: "nautobot" }, ["topicPrefix", "app"])

    expect(faults).toEqual(["unknown option `topicPrefx`, did you mean `topicPrefix`?"])
  })

  it("says where the option stands", () => {
    const faults = unknownKeyFaults({ topic: {} }, ["use", "topics"], "brokers.redis")

    expect(faults).toEqual(["unknown option `brokers.redis.topic`, did you mean `brokers.redis.topics`?"])
  })

  it("lists what is known when nothing is near, one sentence a key", () => {
    const faults = unknownKeyFaults({ colour: "red", shape: undefined }, ["use", "topics"])

    expect(faults).toEqual([
      "unknown option `colour`, known are `use`, `topics`",
      "unknown option `shape`, known are `use`, `topics`",
    ])
  })
})
