import { redactedText } from "../../../src/runtime/redacted-text"

describe("a redacted text", () => {
  it.each([
    ["cannot reach https://alice:hunter2@example.com/x", "cannot reach https://(redacted)@example.com/x"],
    ["postgres://app:hun/ter2@db:5432/main is down", "postgres://(redacted)@db:5432/main is down"],
    ["redis://:hunter2@cache and amqp://hunter2@queue", "redis://(redacted)@cache and amqp://(redacted)@queue"],
    ["login failed: password=hunter2, user=bob", "login failed: password=(redacted), user=bob"],
    ['{"apiKey": "hunter2", "n": 1}', '{"apiKey": (redacted), "n": 1}'],
    ["{'client_secret': 'hunter2 hunter2'}", "{'client_secret': (redacted)}"],
    ['{\\"password\\":\\"hunter2\\"}', '{\\"password\\":(redacted)}'],
    ["GET /x?token=hunter2&page=2", "GET /x?token=(redacted)&page=2"],
    ["DB_PASSWORD => hunter2", "DB_PASSWORD => (redacted)"],
    ["PWD: hunter2", "PWD: (redacted)"],
    ["Authorization: Digest hunter2\nHost: a", "Authorization: (redacted)\nHost: a"],
    ["Set-Cookie: sid=hunter2; Path=/", "Set-Cookie: (redacted)"],
    ["sent Bearer hunter2hunter2==", "sent Bearer (redacted)"],
    ["got eyJhbGciOi.eyJodW50ZXIy.aHVudGVyMg", "got (redacted)"],
    ["-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----!", "(redacted)!"],
  ])("of %j is %j", (text, redacted) => {
    expect(redactedText(text)).toBe(redacted)
  })

  it.each([
    "cannot reach https://example.com:8080/users?mail=a@example.com",
    "password authentication failed",
    "Unexpected end of JSON input at position 7",
    'relation "secret" does not exist',
  ])("of %j is the same", (text) => {
    expect(redactedText(text)).toBe(text)
  })

  it("is cut", () => {
    expect(redactedText("x".repeat(30_000))).toHaveLength(20_001)
  })

  it.each(["a", "://", "://a:", "password", "password=", 'password="', "eyJ", "eyJaaaaa.", "bearer ", "-----BEGIN "])(
    "of many %j takes no time",
    (part) => {
      const startedAt = performance.now()
      redactedText(part.repeat(20_000))

      expect(performance.now() - startedAt).toBeLessThan(500)
    },
  )
})
