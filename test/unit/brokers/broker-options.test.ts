import { consoleBroker } from "../../../src/brokers/console"
import { peerPackage } from "../../../src/brokers/parts/peer-package"
import { redisBroker, type RedisBrokerOptions } from "../../../src/brokers/redis"
import { redisStreamBroker, type RedisStreamBrokerOptions } from "../../../src/brokers/redis-stream"
import { syslogBroker, type SyslogBrokerOptions } from "../../../src/brokers/syslog"
import { webhookBroker, type WebhookBrokerOptions } from "../../../src/brokers/webhook"
import type { ChangeEventsError } from "../../../src/errors"

function faultsOf(make: () => unknown): unknown {
  try {
    make()
  } catch (error) {
    const { code, details, message } = error as ChangeEventsError
    expect(code).toBe("OPTIONS_INVALID")
    for (const fault of details["faults"] as string[]) expect(message).toContain(fault)
    return details["faults"]
  }
  return []
}

const redis = (options: object) => faultsOf(() => redisBroker(options as RedisBrokerOptions))
const syslog = (options: object) => faultsOf(() => syslogBroker(options as SyslogBrokerOptions))

describe("the options of redisBroker", () => {
  it("are all checked at once, without repeating a value", () => {
    expect(redis({ urll: 1, url: "http://user:s3cret@host", commandTimeoutMs: -1, connectTimeoutMs: "5" })).toEqual([
      "unknown option `urll`, did you mean `url`?",
      "`url` must be a redis:// or rediss:// URL, or the path of a Unix socket",
      "`connectTimeoutMs` must be a whole number from 1 to 3600000",
      "`commandTimeoutMs` must be a whole number from 1 to 3600000",
    ])
  })

  it.each([undefined, null, "redis://localhost", []])("must be an object, not %p", (options) => {
    expect(redis(options as unknown as object)).toEqual(["the options must be an object"])
  })

  it("need a url or a client", () => {
    expect(redis({})).toEqual(["`url` or `client` is needed"])
  })

  it("have no url beside a client", () => {
    const client = { publish: async () => 0 }

    expect(redis({ client, url: "redis://localhost" })).toEqual([
      "`url` does not go with `client`: it is the client's own affair",
    ])
    expect(redis({ client: {} })).toEqual(["`client` must be an object with publish()"])
  })

  it.each(["redis://localhost", "rediss://user:p%40ss@host:6380/1", "redis://[::1]:6379", "/run/redis.sock"])(
    "may have the url %s, which connects to nothing yet",
    async (url) => {
      const broker = redisBroker({ url })

      await expect(broker.close()).resolves.toBeUndefined()
    },
  )
})

describe("the options of redisStreamBroker", () => {
  const stream = (options: object) => faultsOf(() => redisStreamBroker(options as RedisStreamBrokerOptions))

  it("are those of redisBroker, and its own", () => {
    expect(stream({ stream: "", maxLength: 0, urll: "/run/redis.sock" })).toEqual([
      "unknown option `urll`, did you mean `url`?",
      "`stream` must be a text, or a function that gives one",
      "`maxLength` must be a whole number from 1, or null",
      "`url` or `client` is needed",
    ])
  })

  it("refuse a client that has no streams", () => {
    expect(stream({ client: { publish: async () => 0 } })).toEqual([
      "`client` must be a client of ioredis, with xadd(), or of node-redis, with xAdd()",
    ])
    expect(stream({ client: { publish: async () => 0, xAdd: async () => "1-0" }, maxLength: null })).toEqual([])
  })
})

describe("the options of webhookBroker", () => {
  const webhook = (options: object) => faultsOf(() => webhookBroker(options as WebhookBrokerOptions))
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

  it("need a url and a secret, and never repeat them", () => {
    expect(webhook({})).toEqual(["`url` is needed", "`secret` is needed"])
    expect(webhook({ url: "ftp://user:passw0rd@host", secret: "passw0rd" })).toEqual([
      "`url` must be an http:// or https:// URL",
      "`secret` must be `whsec_` and the base64 of 24 to 64 bytes, or an array of such texts",
    ])
    expect(webhook({ url: "https://example.org", secret: [] })).toHaveLength(1)
  })

  it.each(["http://127.0.0.1", "http://2130706433", "https://[::1]", "http://[::ffff:10.0.0.1]", "http://localhost."])(
    "refuse the private address in %s, unless it is allowed",
    (url) => {
      expect(webhook({ url, secret })).toEqual([
        "`url` leads to a private address; `allowPrivateAddresses: true` allows that",
      ])
      expect(webhook({ url, secret, allowPrivateAddresses: true })).toEqual([])
    },
  )
})

describe("the options of syslogBroker", () => {
  it("name the level and the facility that were probably meant", () => {
    expect(syslog({ level: "WARNING", facility: "local8" })).toEqual([
      "`level` is unknown, did you mean `warning`?",
      "`facility` is unknown, did you mean `local0`?",
    ])
  })

  it.each(["localhost:514", "http://host", "udp://", "unix://host/dev/log", "unix://", 514])(
    "refuse the url %p",
    (url) => {
      expect(syslog({ url })).toEqual([
        "`url` must be udp://host:port, tcp://host:port, tls://host:port or unix:///path",
      ])
    },
  )

  it("know the largest datagram", () => {
    expect(syslog({ url: "udp://host", maxMessageBytes: 65_508 })).toHaveLength(1)
    expect(syslog({ maxMessageBytes: 65_508 })).toHaveLength(1)
    expect(syslog({ url: "tcp://host", maxMessageBytes: 65_508 })).toEqual([])
  })

  it("refuse a client that is no transport", () => {
    expect(syslog({ client: { log: () => undefined } })).toEqual([
      "`client` must be a Syslog transport of winston-syslog",
    ])
  })

  it("may be left out", async () => {
    await expect(syslogBroker().close()).resolves.toBeUndefined()
  })
})

describe("the options of consoleBroker", () => {
  it("are checked", () => {
    expect(faultsOf(() => consoleBroker({ color: true } as object))).toEqual([
      "unknown option `color`, did you mean `colour`?",
    ])
    expect(faultsOf(() => consoleBroker({ stream: 1, style: "json" } as object))).toHaveLength(2)
  })
})

describe("a client package that is missing", () => {
  it("is named, with the command that installs it", () => {
    const load = (): unknown => {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- what a broker does
      return require("no-such-package")
    }

    expect(() => peerPackage("no-such-package", "redisBroker", load)).toThrow(
      expect.objectContaining({
        code: "BROKER_CLIENT_MISSING",
        message: expect.stringContaining("npm install no-such-package"),
      }),
    )
  })
})
