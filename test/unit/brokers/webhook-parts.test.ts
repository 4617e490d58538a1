import { isPublicAddress } from "../../../src/brokers/webhook/public-address"
import { redirectTarget } from "../../../src/brokers/webhook/redirect"
import { contentTypeValue, eventRequestHeaders } from "../../../src/brokers/webhook/request-headers"
import { signingKey, webhookSignature } from "../../../src/brokers/webhook/signature"
import { eventMessage } from "../../contracts/event-message"

describe("the signature", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1614265330, body: `{"test": 2432232314}` }

  it("is that of the published vector of Standard Webhooks", () => {
    expect(webhookSignature(message, [signingKey(secret) as Buffer])).toBe(
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    )
  })

  it.each([
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_",
    "whsec_short",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
    `whsec_${Buffer.alloc(65).toString("base64")}`,
    null,
  ])("has no key in %p", (text) => {
    expect(signingKey(text)).toBeUndefined()
  })
})

describe("a public address", () => {
  it.each(["8.8.8.8", "172.32.0.1", "100.63.255.255", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])(
    "is %s",
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )

  it.each([
    ...[
      "0.0.0.0",
      "10.1.2.3",
      "100.64.0.1",
      "127.0.0.1",
      "127.8.8.8",
      "169.254.169.254",
      "172.16.0.1",
      "172.31.255.255",
    ],
    ...["192.168.1.1", "198.18.0.1", "192.0.2.1", "203.0.113.9", "224.0.0.1", "255.255.255.255"],
    ...[
      "::",
      "::1",
      "fc00::1",
      "fd12:3456::1",
      "fe80::1",
      "fe80::1%lo",
      "fec0::1",
      "ff02::1",
      "2001:db8::1",
      "2001::1",
    ],
    ...[
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "::ffff:169.254.169.254",
      "64:ff9b::10.0.0.1",
      "2002:7f00:1::",
      "::127.0.0.1",
    ],
    ...["localhost", ""],
  ])("is not %p", (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

describe("the headers of a request", () => {
  it("hold what the event's hold, percent-encoded where HTTP forbids a character", () => {
    const headers = { "event-key": "a b%é\r\nx: 1", "ce-source": "/a%20b", "bad name": "x", traceparent: "00-1-2-01" }

    expect(eventRequestHeaders(eventMessage({ headers }))).toEqual({
      "event-key": "a%20b%25%C3%A9%0D%0Ax:%201",
      "ce-source": "/a%20b",
      "bad%20name": "x",
      traceparent: "00-1-2-01",
    })
  })

  it("hold nothing that is HTTP's, the signature's or the url's affair", () => {
    const names = ["Host", "content-length", "transfer-encoding", "authorization", "webhook-signature", "content-type"]
    const headers = Object.fromEntries(names.map((name) => [name, "x"]))

    expect(eventRequestHeaders(eventMessage({ headers }))).toEqual({})
  })

  it("leave a media type its spaces and quotes", () => {
    expect(contentTypeValue(`text/x; charset="ü"\r\n`)).toBe(`text/x; charset="%C3%BC"%0D%0A`)
  })
})

describe("a redirect", () => {
  it.each([
    [308, "/there", "https://host/there"],
    [301, "https://other/x", "https://other/x"],
    [307, "https://user:word@other/x", "https://other/x"],
    [303, "/there", undefined],
    [302, "http://host/there", undefined],
    [307, "ftp://host/there", undefined],
    [307, undefined, undefined],
    [200, "/there", undefined],
  ])("with %d to %p leads to %p", (status, location, target) => {
    expect(redirectTarget(status, location, new URL("https://host/here"))?.href).toBe(target)
  })
})
