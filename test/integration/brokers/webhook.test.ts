import { createHmac } from "node:crypto"
import { Agent } from "node:http"
import { Agent as HttpsAgent } from "node:https"
import { connect } from "node:net"
import { hostname } from "node:os"
import { inspect } from "node:util"
import { freePort } from "../../../fixtures/postgres/free-port"
import { webhookBroker, type WebhookBrokerOptions } from "../../../src/brokers/webhook"
import { sendToHook } from "../../../src/brokers/webhook/send-to-hook"
import { eventMessage } from "../../contracts/event-message"
import { selfSignedCertificate } from "../../servers/certificate"
import { startHttpReceiver, type HttpReceiver } from "../../servers/http-receiver"
import { startTcpProxy } from "../../servers/tcp-proxy"
import { thrownBy } from "./thrown-by"

const SECRETS = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] as const

let receiver: HttpReceiver
const endings: (() => unknown)[] = []

beforeEach(async () => {
  receiver = await startHttpReceiver()
  endings.push(() => receiver.kill())
})

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

function broker(more: Partial<WebhookBrokerOptions> = {}) {
  const url = `http://127.0.0.1:${receiver.port}/hook?token=t0ken`
  const made = webhookBroker({ url, secret: SECRETS[0], allowPrivateAddresses: true, ...more })
  endings.push(() => made.close())
  return made
}

/** As a receiver would that has read the specification, and nothing of ours. */
function verified(
  secret: string,
  { headers, body }: { headers: NodeJS.Dict<string | string[]>; body: string },
): boolean {
  const key = Buffer.from(secret.split("_")[1] as string, "base64")
  const signed = [headers["webhook-id"], headers["webhook-timestamp"], body].join(".")
  const expected = createHmac("sha256", key).update(signed).digest("base64")
  return String(headers["webhook-signature"]).split(" ").includes(`v1,${expected}`)
}

describe("a request", () => {
  it("is a POST with the body, the event's headers and a signature that verifies with each secret", async () => {
    const before = Math.floor(Date.now() / 1_000)
    const headers = { "event-type": "a.b", "event-key": "dcim.device:é" }

    await broker({ secret: SECRETS }).publish(eventMessage({ headers, body: `{"a":"é"}` }))

    const [request] = await receiver.received(1)
    expect(request).toMatchObject({ method: "POST", path: "/hook?token=t0ken", body: `{"a":"é"}` })
    expect(request?.headers).toMatchObject({
      "content-type": "application/json",
      "event-type": "a.b",
      "event-key": "dcim.device:%C3%A9",
      "webhook-id": eventMessage().id,
    })
    expect(Number(request?.headers["webhook-timestamp"])).toBeGreaterThanOrEqual(before)
    for (const secret of SECRETS) expect(verified(secret, request as never)).toBe(true)
    expect(verified("whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB", request as never)).toBe(false)
  })

  it("has the url's user and password in its authorization", async () => {
    await broker({ url: `http://us%40er:p%3Aw@127.0.0.1:${receiver.port}/` }).publish(eventMessage())

    const [request] = await receiver.received(1)
    expect(request?.headers.authorization).toBe(`Basic ${Buffer.from("us@er:p:w").toString("base64")}`)
  })

  it("goes through the connection of the one before it", async () => {
    const subject = broker()

    for (let n = 0; n < 3; n++) await subject.publish(eventMessage())

    expect(new Set(receiver.requests.map(({ clientPort }) => clientPort)).size).toBe(1)
  })

  it("goes over TLS to a receiver whose certificate is trusted, and to no other", async () => {
    const certificate = await selfSignedCertificate("127.0.0.1")
    const secure = await startHttpReceiver(certificate)
    endings.push(() => secure.kill())
    const url = `https://127.0.0.1:${secure.port}/`

    await broker({ url, tls: { ca: certificate.cert } }).publish(eventMessage())
    const error = await thrownBy(broker({ url }).publish(eventMessage()))

    expect(secure.requests).toHaveLength(1)
    expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE", cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" } })
  })
})

describe("an answer", () => {
  it.each([
    [400, "PUBLISH_FAILED", false],
    [401, "PUBLISH_FAILED", false],
    [410, "PUBLISH_FAILED", false],
    [408, "PUBLISH_FAILED", true],
    [409, "PUBLISH_FAILED", true],
    [425, "PUBLISH_FAILED", true],
    [500, "PUBLISH_FAILED", true],
    [429, "BROKER_UNAVAILABLE", true],
    [502, "BROKER_UNAVAILABLE", true],
    [503, "BROKER_UNAVAILABLE", true],
    [504, "BROKER_UNAVAILABLE", true],
  ])("of %d is a %s, retryable: %p", async (status, code, retryable) => {
    receiver.answer((response) => void response.writeHead(status).end("no"))

    expect(await thrownBy(broker().publish(eventMessage()))).toMatchObject({ code, retryable, details: { status } })
  })

  it.each([
    ["120", 120_000],
    ["Wed, 21 Oct 2015 07:28:00 GMT", 0],
    ["soon", undefined],
  ])("with Retry-After %j tells %p ms", async (value, retryAfterMs) => {
    receiver.answer((response) => void response.writeHead(503, { "retry-after": value }).end())

    const { details } = await thrownBy(broker().publish(eventMessage()))

    expect(details["retryAfterMs"]).toBe(retryAfterMs)
  })

  it("without an end is not read, and its connection is closed", async () => {
    const closed = new Promise<number>((resolve) => {
      receiver.answer((response) => {
        let sent = 0
        const part = "x".repeat(16_384)
        const pour = (): void => {
          while (!response.destroyed) {
            sent += part.length
            if (!response.write(part)) return void response.once("drain", pour)
          }
        }
        response.on("close", () => resolve(sent))
        pour()
      })
    })

    await broker().publish(eventMessage())

    // What is more than 64 KB was in buffers of the system.
    expect(await closed).toBeLessThan(16 * 1024 * 1024)
  })

  it("that does not come is a timeout", async () => {
    receiver.answer(() => undefined)

    const error = await thrownBy(broker({ timeoutMs: 100 }).publish(eventMessage()))

    expect(error).toMatchObject({ code: "PUBLISH_TIMEOUT", retryable: true })
  })

  it("that is a broken connection may be the message's fault", async () => {
    receiver.answer((response) => void response.socket?.resetAndDestroy())

    expect(await thrownBy(broker().publish(eventMessage()))).toMatchObject({ code: "PUBLISH_FAILED", retryable: true })
  })
})

describe("a receiver that is not there", () => {
  it("is waited for", async () => {
    const error = await thrownBy(broker({ url: `http://127.0.0.1:${await freePort()}/` }).publish(eventMessage()))

    expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE", cause: { code: "ECONNREFUSED" } })
  })

  it("is waited for when its TLS does not answer in time", async () => {
    const proxy = await startTcpProxy(receiver.port)
    endings.push(() => proxy.stop())
    proxy.blackHole()

    const subject = broker({ url: `https://127.0.0.1:${proxy.port}/`, timeoutMs: 100 })

    expect(await thrownBy(subject.publish(eventMessage()))).toMatchObject({ code: "BROKER_UNAVAILABLE" })
  })
})

describe("a redirect", () => {
  const to = (location: string) =>
    receiver.answer((response, { path }) => {
      if (path === "/end") response.writeHead(204).end()
      else response.writeHead(307, { location }).end()
    })

  it("is not followed", async () => {
    to("/end")

    const error = await thrownBy(broker().publish(eventMessage()))

    expect(error).toMatchObject({ code: "PUBLISH_FAILED", details: { status: 307 } })
    expect(receiver.requests).toHaveLength(1)
  })

  it("is followed when it may be, with the same request", async () => {
    to("/end")

    await broker({ followRedirects: true }).publish(eventMessage())

    const [first, second] = await receiver.received(2)
    expect(second).toMatchObject({ method: "POST", path: "/end", body: first?.body })
    expect(second?.headers["webhook-signature"]).toBe(first?.headers["webhook-signature"])
  })

  it("is followed three times", async () => {
    to("/again")

    await expect(broker({ followRedirects: true }).publish(eventMessage())).rejects.toMatchObject({
      details: { status: 307 },
    })
    expect(receiver.requests).toHaveLength(4)
  })

  it("to another host takes no password along", async () => {
    const other = await startHttpReceiver()
    endings.push(() => other.kill())
    to(`http://127.0.0.1:${other.port}/end`)

    await broker({ url: `http://u:p@127.0.0.1:${receiver.port}/`, followRedirects: true }).publish(eventMessage())

    expect(receiver.requests[0]?.headers.authorization).toBeDefined()
    expect((await other.received(1))[0]?.headers.authorization).toBeUndefined()
  })
})

describe("a private address", () => {
  it("is refused when a name leads to it, and nothing is connected to", async () => {
    const url = `http://${hostname()}:${receiver.port}/`

    const error = await thrownBy(broker({ url, allowPrivateAddresses: false }).publish(eventMessage()))

    expect(error).toMatchObject({
      code: "BROKER_UNAVAILABLE",
      message: expect.stringContaining("has a private address"),
    })
    expect(receiver.requests).toHaveLength(0)
  })

  it("is refused when a public receiver redirects to it", async () => {
    // Whatever address is asked for, this agent connects to the receiver.
    const http = new Agent()
    http.createConnection = () => connect(receiver.port, "127.0.0.1")
    const hook = {
      url: new URL("http://8.8.8.8/hook"),
      keys: [Buffer.alloc(24)],
      timeoutMs: 5_000,
      maxRedirects: 3,
      allowPrivateAddresses: false,
      agents: { http, https: new HttpsAgent() },
    }
    receiver.answer((response) => void response.writeHead(307, { location: "http://[::ffff:169.254.169.254]/" }).end())

    const error = await thrownBy(sendToHook(hook, eventMessage()))

    expect(error).toMatchObject({ code: "PUBLISH_FAILED", message: expect.stringContaining("a redirect leads to") })
    expect(receiver.requests).toHaveLength(1)
  })
})

it("shows neither secret nor password nor path in an error", async () => {
  const url = `http://user:passw0rd@127.0.0.1:${receiver.port}/t0ken?key=t0ken`
  receiver.answer((response) => void response.writeHead(500).end())
  const errors = [await thrownBy(broker({ url }).publish(eventMessage({ body: "passw0rd" })))]
  await receiver.kill()
  errors.push(await thrownBy(broker({ url }).publish(eventMessage())))

  for (const error of errors) expect(inspect(error, { depth: 10 })).not.toMatch(/passw0rd|t0ken|MfKQ9/)
})
