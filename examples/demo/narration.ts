import { STATUS_CODES } from "node:http"
import { Writable } from "node:stream"
import type { WriteStream } from "node:tty"

const COLOURS = { bold: 1, green: 32, yellow: 33, cyan: 36, grey: 90 } as const

type Colour = keyof typeof COLOURS

/** A request as it is shown. */
export interface ShownRequest {
  readonly user: string
  readonly method: string
  readonly path: string
  readonly body?: object | undefined
}

/** What the demo says, in 100 columns; in colour on a terminal. */
export interface Narration {
  readonly hasColour: boolean
  /** Where the console broker writes: indented, so that events stand below their request. */
  readonly eventStream: Writable
  title(text: string): void
  fact(name: string, text: string): void
  step(number: number, text: string): void
  request(request: ShownRequest): void
  answer(status: number, events: number): void
  note(text: string): void
  heading(text: string): void
  line(text: string): void
  curlLines(url: string): void
}

export function createNarration(stdout: WriteStream): Narration {
  const hasColour = stdout.isTTY === true && !process.env["NO_COLOR"]
  const paint = (colour: Colour, text: string): string => (hasColour ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text)
  const line = (text: string): void => void stdout.write(`${text}\n`)

  return {
    hasColour,
    eventStream: indented(stdout, paint("grey", "     │ ")),
    line,
    title: (text) => line(`\n${paint("bold", text)}\n`),
    fact: (name, text) => line(`  ${name.padEnd(9)} ${paint("grey", text)}`),
    heading: (text) => line(`\n${paint("bold", text)}`),
    step: (number, text) => line(`\n${paint("bold", `${number}.`.padEnd(3))} ${paint("bold", text)}`),
    request: ({ user, method, path, body }) => {
      const sent = body === undefined ? "" : ` ${paint("grey", JSON.stringify(body))}`
      line(`   ${paint("cyan", user)}: ${method} ${path}${sent}`)
    },
    answer: (status, events) => {
      const told = events === 0 ? "no event" : events === 1 ? "1 event" : `${events} events`
      line(`   ${paint(status < 400 ? "green" : "yellow", `${status} ${STATUS_CODES[status]}`)}, ${told}`)
    },
    note: (text) => line(`   ${paint("grey", text)}`),
    curlLines: (url) => {
      line("\nTry these in another terminal, and watch the events here. Ctrl+C stops everything.\n")
      for (const command of curlLines(url)) line(`  ${command}`)
      line("")
    },
  }
}

function curlLines(url: string): string[] {
  const json = `-H 'x-user: alice' -H 'content-type: application/json'`
  return [
    `curl ${url}/devices`,
    `curl -X POST ${json} \\\n    -d '{"name":"sw2","siteId":1}' ${url}/devices`,
    `curl -X PATCH ${json} \\\n    -d '{"status":"active"}' ${url}/devices/2`,
    `curl -X POST -H 'x-user: bob' ${url}/sites/1/stage`,
    `curl -X POST -H 'x-user: bob' ${url}/devices/1/retire`,
    `curl -X DELETE -H 'x-user: bob' ${url}/devices/3`,
  ]
}

function indented(stdout: WriteStream, margin: string): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = chunk.toString().replace(/.+/g, folded)
      stdout.write(lines.replace(/^(?=.)/gm, margin), done)
    },
  })
}

/** A headline that would not fit into the 100 columns goes on in a second line, with who did it. */
function folded(line: string): string {
  // Colours take no columns.
  const width = line.replace(/\x1b\[\d+m/g, "").length
  return width > 92 ? line.replace(" by ", "\n    by ") : line
}
