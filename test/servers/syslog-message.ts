/** What a receiver reads out of a message of RFC 5424. */
export interface SyslogMessage {
  readonly facility: number
  readonly severity: number
  readonly timestamp: string
  readonly hostname: string
  readonly appName: string
  readonly processId: string
  readonly messageId: string
  /** The parameters of the one element of structured data. */
  readonly parameters: Readonly<Record<string, string>>
  readonly body: string
}

const RFC5424 = /^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) (-|\[\S+(?: \S+="(?:[^"\\\]]|\\["\\\]])*")*\]) (.*)$/s
const PARAMETER = / (\S+?)="((?:[^"\\\]]|\\["\\\]])*)"/g

/** @throws when the text is no message of RFC 5424. */
export function parseSyslogMessage(text: string): SyslogMessage {
  const match = RFC5424.exec(text)
  if (match === null) throw new Error(`not RFC 5424: ${text.slice(0, 200)}`)
  const [priority, timestamp, hostname, appName, processId, messageId, structuredData, body] = match.slice(1) as Fields
  return {
    facility: Math.floor(Number(priority) / 8),
    severity: Number(priority) % 8,
    timestamp,
    hostname,
    appName,
    processId,
    messageId,
    parameters: parseParameters(structuredData),
    body,
  }
}

type Fields = [string, string, string, string, string, string, string, string]

/** The parameters of `[name key="value" …]`, unescaped. */
export function parseParameters(structuredData: string): Record<string, string> {
  const pairs = [...structuredData.matchAll(PARAMETER)]
  return Object.fromEntries(pairs.map(([, name, value]) => [name, (value as string).replace(/\\(["\\\]])/g, "$1")]))
}
