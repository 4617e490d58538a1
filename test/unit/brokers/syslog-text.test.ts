import { fitMessage } from "../../../src/brokers/syslog/fit-message"
import { framed } from "../../../src/brokers/syslog/frame"
import { syslogAppName, syslogHeader, type SyslogTextOptions } from "../../../src/brokers/syslog/syslog-text"
import { eventMessage } from "../../contracts/event-message"
import { parseSyslogMessage } from "../../servers/syslog-message"

const options: SyslogTextOptions = {
  format: "rfc5424",
  level: "info",
  facility: "local0",
  hostname: "web-1",
  appName: "events",
  enterpriseNumber: 32_473,
}

describe("the header of RFC 5424", () => {
  it("has the time of the event, whatever the time zone", () => {
    const message = eventMessage({ occurredAt: new Date("2026-07-01T12:00:00.005Z") })

    expect(syslogHeader(message, options)).toContain(" 2026-07-01T12:00:00.005Z web-1 ")
  })

  it("keeps a long topic whole in the structured data, cuts the APP-NAME and has no MSGID", () => {
    const topic = "nautobot.update.virtualization.virtualmachineinterface"

    expect(parseSyslogMessage(syslogHeader(eventMessage({ topic }), options))).toMatchObject({
      appName: "events.nautobot.update.virtualization.virtualmac",
      messageId: "-",
      parameters: { topic },
    })
  })

  it("lets no value break it", () => {
    const evil = `a b\n"]\\\u0000ü`
    const message = eventMessage({ topic: evil, key: evil, id: evil })

    const { appName, messageId, parameters } = parseSyslogMessage(syslogHeader(message, { ...options, hostname: evil }))

    expect({ appName, messageId }).toEqual({ appName: `events.a?b?"]\\??`, messageId: `a?b?"]\\??` })
    expect(parameters["key"]).toBe(`a b?"]\\?ü`)
  })
})

it("writes RFC 3164 with the whole topic as its tag, and no host on a local socket", () => {
  const header = syslogHeader(eventMessage(), { ...options, format: "rfc3164", hostname: undefined })

  expect(header).toMatch(/^<134>Jan {2}\d \d\d:\d\d:\d\d events\.nautobot\.update\.dcim\.device\[\d+\]: $/)
})

it("leaves the APP-NAME to the topic when no name is given", () => {
  expect(syslogAppName("", "a.b")).toBe("a.b")
})

it("counts the bytes of a frame, not its characters", () => {
  expect(framed("é🙂", "octet-counting")).toBe("6 é🙂")
  expect(framed("é🙂", "newline")).toBe("é🙂\n")
})

it("rejects what does not even fit when cut", () => {
  expect(() => fitMessage("h".repeat(480), "body", 480, "truncate")).toThrow(
    expect.objectContaining({ code: "MESSAGE_TOO_LARGE", retryable: false }),
  )
})
