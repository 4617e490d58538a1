import { memoryBroker } from "../../../src/brokers/memory"
import { brokerEntryFaults, registrationFaults } from "../../../src/publishing/broker-faults"

const entryWith = (options: object): string[] => brokerEntryFaults("brokers.audit", { use: memoryBroker(), ...options })

/**
 * The seed's settings are `{ CLASS, OPTIONS, TOPICS: { INCLUDE, EXCLUDE } }`, with class paths to import. Here a broker is a
 * value, its options are its factory's, and the names are `use`, `topics`, `include` and `exclude`.
 */
describe("brokerEntryFaults", () => {
  it("finds nothing wrong with a broker, nor with one that has all its options", () => {
    const options = {
      topics: { include: ["*.dcim.*"], exclude: null },
      format: "record",
      delivery: { batchSize: 10, retryDelayMs: 0 },
    }

    expect(brokerEntryFaults("brokers.audit", memoryBroker())).toEqual([])
    expect(entryWith(options)).toEqual([])
    expect(entryWith({ format: () => undefined, topics: {} })).toEqual([])
  })

  it("takes an instance of a class for a broker", () => {
    class Broker {
      publish(): void {}
    }

    expect(brokerEntryFaults("brokers.audit", new Broker())).toEqual([])
  })

  it("nb-config-01: topics that are a list", () => {
    expect(entryWith({ topics: ["*.dcim.*"] })).toEqual([
      "brokers.audit.topics must be an object with include or exclude, got an array",
    ])
  })

  it("refuses topics that are null, as the seed does", () => {
    expect(entryWith({ topics: null })).toEqual([
      "brokers.audit.topics must be an object with include or exclude, got null",
    ])
  })

  it("nb-config-03: include that is a string", () => {
    expect(entryWith({ topics: { include: "*.dcim.*" } })).toEqual([
      "brokers.audit.topics.include must be an array of patterns, got a string",
    ])
  })

  it("nb-config-06: exclude that is a string", () => {
    expect(entryWith({ topics: { exclude: "*.dcim.*" } })).toEqual([
      "brokers.audit.topics.exclude must be an array of patterns, got a string",
    ])
  })

  it("nb-config-07: a path to import, which is no broker here", () => {
    expect(brokerEntryFaults("brokers.x", "does.not.exist.Broker")).toEqual([
      "brokers.x must be a broker with a publish function, got a string",
    ])
  })

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["an array", []],
    ["a number", 7],
    ["an object", new Date()],
    ["a function", () => undefined],
  ])("nb-config-10: %s instead of a broker", (kind, value) => {
    expect(brokerEntryFaults("brokers.x", value)).toEqual([
      `brokers.x must be a broker with a publish function, got ${kind}`,
    ])
    expect(brokerEntryFaults("brokers.x", { use: value })).toEqual([
      `brokers.x.use must be a broker with a publish function, got ${kind}`,
    ])
  })

  it("refuses a publishBatch or close that is no function", () => {
    expect(brokerEntryFaults("brokers.x", { ...memoryBroker(), publishBatch: true, close: null })).toEqual([
      "brokers.x.publishBatch must be a function, got a boolean",
      "brokers.x.close must be a function, got null",
    ])
  })

  it("names the option that was probably meant", () => {
    expect(entryWith({ topic: {}, topics: { includes: [] }, delivery: { batchsize: 10 } })).toEqual([
      "unknown option `brokers.audit.topic`, did you mean `brokers.audit.topics`?",
      "unknown option `brokers.audit.topics.includes`, did you mean `brokers.audit.topics.include`?",
      "unknown option `brokers.audit.delivery.batchsize`, did you mean `brokers.audit.delivery.batchSize`?",
    ])
  })

  it("names the place of a pattern that is no string", () => {
    expect(entryWith({ topics: { include: ["*.dcim.*", /ipam/] } })).toEqual([
      "brokers.audit.topics.include[1] must be a pattern, which is a string, got an object",
    ])
  })

  it("names the format that was probably meant", () => {
    expect(entryWith({ format: "Record" })).toEqual([
      'brokers.audit.format must be "record" or a format function, got "Record", did you mean "record"?',
    ])
    expect(entryWith({ format: {} })).toEqual([
      'brokers.audit.format must be "record" or a format function, got an object',
    ])
  })

  it.each([
    ["batchSize", 0, "a whole number from 1 to 10000, got 0"],
    ["publishTimeoutMs", 1.5, "a whole number from 1 to 3600000, got 1.5"],
    ["maxAttempts", "5", "a whole number from 1 to 1000000, got a string"],
    ["retryDelayMs", -1, "a whole number from 0 to 3600000, got -1"],
    ["maxRetryDelayMs", Infinity, "a whole number from 0 to 3600000, got Infinity"],
    ["circuitThreshold", NaN, "a whole number from 1 to 1000000, got NaN"],
    ["maxQueuedEvents", 0, "a whole number from 1 to 100000000, got 0"],
    ["maxQueuedBytes", null, "a whole number from 1 to 1099511627776, got null"],
  ])("refuses %s %p", (name, value, fault) => {
    expect(entryWith({ delivery: { [name]: value } })).toEqual([`brokers.audit.delivery.${name} must be ${fault}`])
  })

  it("collects every fault of an entry", () => {
    expect(entryWith({ use: 7, topics: [], format: 7, delivery: 7 })).toHaveLength(4)
  })

  it("never throws", () => {
    const entry = Object.defineProperty({}, "publish", {
      get: () => {
        throw new Error("not yet")
      },
    })

    expect(brokerEntryFaults("brokers.x", entry)).toEqual(["brokers.x cannot be read: one of its properties throws"])
  })
})

describe("registrationFaults", () => {
  it("refuses options that are no object", () => {
    expect(registrationFaults("brokers.audit", memoryBroker(), "*.dcim.*")).toEqual([
      "brokers.audit must have an object of options, got a string",
    ])
  })

  it("knows what may become of events behind a refused one, and how many may share the work", () => {
    expect(registrationFaults("brokers.audit", memoryBroker(), { onPoison: "skip", shards: 4 })).toEqual([])
    expect(registrationFaults("brokers.audit", memoryBroker(), { onPoison: "drop", shards: 0 })).toHaveLength(2)
  })

  it("does not know `use`, which belongs to the declarative form", () => {
    expect(registrationFaults("brokers.audit", memoryBroker(), { use: memoryBroker() })).toEqual([
      "unknown option `brokers.audit.use`, known are `topics`, `format`, `delivery`, `onPoison`, `shards`",
    ])
  })
})
