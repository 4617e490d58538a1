import { readHttpRequest } from "../../../src/context/http-request"

const requestId = "cccccccc-0000-4000-8000-000000000001"
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

function userAgentOf(header: string | string[]): string | undefined {
  return readHttpRequest({ headers: { "user-agent": header } }, undefined).userAgent
}

describe("readHttpRequest", () => {
  it("reads what a request says about itself", () => {
    const headers = { "x-request-id": requestId, traceparent, "user-agent": "curl/8" }

    expect(readHttpRequest({ headers, socket: { remoteAddress: "::1" } }, "x-request-id")).toEqual({
      requestId,
      traceparent,
      clientAddress: "::1",
      userAgent: "curl/8",
    })
  })

  it("leaves out what is missing or not valid", () => {
    const headers = { "x-request-id": "42", traceparent: "00-nonsense", "user-agent": "" }

    expect(readHttpRequest({ headers }, "x-request-id")).toEqual({})
  })

  it("accepts no request id without a header to trust", () => {
    expect(readHttpRequest({ headers: { "x-request-id": requestId } }, undefined)).toEqual({})
  })

  it("believes the framework about the client's address, and no forwarding header", () => {
    const headers = { "x-forwarded-for": "6.6.6.6", forwarded: "for=6.6.6.6" }
    const socket = { remoteAddress: "10.0.0.1" }

    expect(readHttpRequest({ headers, socket }, undefined)).toEqual({ clientAddress: "10.0.0.1" })
    expect(readHttpRequest({ headers, socket, ip: "192.0.2.7" }, undefined)).toEqual({ clientAddress: "192.0.2.7" })
  })

  it("removes control characters from the user agent", () => {
    expect(userAgentOf("curl\u0000/8\r\nFORGED\u001b[31m\u0085\u2028")).toBe("curl/8FORGED[31m")
  })

  it("cuts the user agent at 256 characters", () => {
    expect(userAgentOf("😀".repeat(300))).toBe("😀".repeat(256))
  })

  it("takes no list for a user agent", () => {
    expect(userAgentOf(["curl/8", "curl/9"])).toBeUndefined()
  })
})
