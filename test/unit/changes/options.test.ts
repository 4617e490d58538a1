import { changeEvents, CaptureChanges, ChangeEventsError, Sensitive, withChangeContext } from "../../../src"
import { memoryBroker } from "../../../src/testing"

function faultsOf(options: unknown): readonly string[] {
  try {
    changeEvents(options as never)
  } catch (error) {
    if (error instanceof ChangeEventsError && error.code === "OPTIONS_INVALID")
      return error.details["faults"] as string[]
    throw error
  }
  return []
}

describe("the options of changeEvents()", () => {
  it("may be left out", () => {
    expect(faultsOf(undefined)).toEqual([])
    expect(faultsOf({})).toEqual([])
  })

  it("are all checked at once, unknown ones with the nearest name", () => {
    const faults = faultsOf({
      topicPrefx: "nautobot",
      app: 7,
      softDelete: "remove",
      onUncaptured: "panic",
      relations: "inverse",
      closures: "rows",
      coalesce: true,
      maxRowsPerStatement: 0,
      maxEventsPerTransaction: 1.5,
      preparedStatements: "yes",
      capture: "trigger",
      emitUnchanged: 1,
      sensitiveHashKey: "short",
      logger: {},
      delivery: { batchSise: 10, batchSize: -1 },
      brokers: {
        bad: 7,
        good: memoryBroker(),
        odd: { use: memoryBroker(), topics: { include: "*" }, format: "recrd" },
      },
      entities: [
        class {},
        {
          entity: "Tag",
          capture: "triggers",
          softDelete: "no",
          model: "a b",
          sensitive: { name: "hide" },
          relations: true,
          closures: true,
          modl: "x",
        },
        4,
      ],
    })

    expect(faults).toEqual(
      [
        "unknown option `topicPrefx`, did you mean `topicPrefix`?",
        "app must be a string, got 7",
        'softDelete must be one of "delete", "update", got a string',
        'capture must be one of "orm", "triggers", got a string',
        'capture: "triggers" needs delivery: "outbox", for triggers write into the change log',
        'onUncaptured must be one of "warn", "throw", "ignore", got a string',
        'relations must be one of "owner", "both", "off", got a string',
        'closures must be one of "events", "off", got a string',
        'coalesce must be one of "transaction", "off", got true',
        "maxRowsPerStatement must be a whole number from 1 to 1000000, got 0",
        "maxEventsPerTransaction must be a whole number from 1 to 100000000, got 1.5",
        'preparedStatements must be one of "auto", true, false, got a string',
        "emitUnchanged must be one of true, false, got 1",
        "sensitiveHashKey must be a text of at least 16 characters",
        "logger must have the functions warn and error",
        "unknown option `delivery.batchSise`, did you mean `delivery.batchSize`?",
        "delivery.batchSize must be a whole number from 1 to 10000, got -1",
        "brokers.bad must be a broker with a publish function, got a number",
        "brokers.odd.topics.include must be an array of patterns, got a string",
        'brokers.odd.format must be "record" or a format function, got "recrd", did you mean "record"?',
        "unknown option `entities[1].modl`, did you mean `entities[1].model`?",
        'entities[1].softDelete must be one of "delete", "update", got a string',
        "entities[1].model must be words joined by dots, without spaces or wildcards",
        'entities[1].relations must be one of "owner", "both", "off", got true',
        'entities[1].closures must be one of "events", "off", got true',
        'entities[1].sensitive.name must be one of "omit", "mask", "hash", got a string',
        "entities[2] must be an entity, or an object with `entity` and its options, got 4",
      ].sort((a, b) => faults.indexOf(a) - faults.indexOf(b)),
    )
  })

  it.each([null, 7, "text", [], () => 1])("must be an object, not %p", (options) => {
    expect(faultsOf(options)).toHaveLength(1)
  })

  it("name no value, which may be a secret", () => {
    const faults = faultsOf({ sensitiveHashKey: "short-secret", app: { password: "hunter2" }, onUncaptured: "hunter2" })

    expect(faults.join()).not.toMatch(/short-secret|hunter2/)
  })

  it("leave nothing registered when one of two brokers is bad", () => {
    expect(() => changeEvents({ brokers: { one: memoryBroker(), two: {} as never } })).toThrow("brokers.two")
  })
})

describe("bad input at run time", () => {
  const changes = changeEvents()
  const codeOf = (call: () => unknown): unknown => {
    try {
      call()
    } catch (error) {
      return (error as ChangeEventsError).code
    }
    return undefined
  }

  it("is a broker that is no broker, a name taken twice, a name unknown", async () => {
    changes.registerBroker("memory", memoryBroker())

    expect(codeOf(() => changes.registerBroker("other", {} as never))).toBe("BROKER_INVALID")
    expect(codeOf(() => changes.registerBroker("memory", memoryBroker()))).toBe("BROKER_NAME_TAKEN")
    await expect(changes.deregisterBroker("nobody")).rejects.toMatchObject({ code: "BROKER_UNKNOWN" })
  })

  it("is a pattern that is no string, a listener that is no function", () => {
    expect(codeOf(() => changes.on(7 as never, () => undefined))).toBe("OPTIONS_INVALID")
    expect(codeOf(() => changes.on("*", "listener" as never))).toBe("OPTIONS_INVALID")
  })

  it("is a context with a wrong changeContext", () => {
    expect(codeOf(() => withChangeContext({ changeContext: "web" as never }, () => undefined))).toBe("CONTEXT_INVALID")
    expect(codeOf(() => withChangeContext({ changeContext: "Unknown" as never }, () => undefined))).toBe(
      "CONTEXT_INVALID",
    )
  })

  it("is a decorator's option that does not exist", () => {
    expect(codeOf(() => CaptureChanges({ modle: "x" } as never))).toBe("OPTIONS_INVALID")
    expect(codeOf(() => Sensitive("hide" as never))).toBe("OPTIONS_INVALID")
  })
})
