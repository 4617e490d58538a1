import { on } from "node:events"
import { watch } from "node:fs"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { requireProgram } from "./debian-package"
import { freePort } from "../../fixtures/postgres/free-port"
import { startServerProcess } from "./server-process"

/** What rsyslog understood of a message. */
export interface RsyslogRecord {
  readonly appName: string
  readonly messageId: string
  readonly structuredData: string
  readonly hostname: string
  readonly severity: string
  readonly facility: string
  readonly body: string
}

export interface Rsyslog {
  /** TCP and UDP. */
  readonly port: number
  /** A socket like /dev/log. */
  readonly socketPath: string
  /** Resolves when its file has so many messages. */
  received(count: number): Promise<readonly RsyslogRecord[]>
  start(): Promise<void>
  kill(): Promise<void>
  /** Stops it and removes its folder. */
  remove(): Promise<void>
}

/** A real rsyslog, on a free port, that writes a file in a temporary folder. */
export async function startRsyslog(): Promise<Rsyslog> {
  const program = await requireProgram("rsyslogd", "rsyslog")
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), "rsyslog-"))
  const file = join(folder, "messages")
  const socketPath = join(folder, "log")
  const configuration = join(folder, "rsyslog.conf")
  await writeFile(file, "")
  await writeFile(configuration, rsyslogConfiguration({ port, folder, file, socketPath }))
  const start = () => startServerProcess(program, ["-n", "-f", configuration, "-i", join(folder, "pid")], port)
  let server = await start()
  return {
    port,
    socketPath,
    received: (count) => untilRecords(folder, file, count),
    start: async () => void (server = await start()),
    kill: () => server.kill(),
    async remove() {
      await server.stop()
      await rm(folder, { recursive: true })
    },
  }
}

interface Places {
  readonly port: number
  readonly folder: string
  readonly file: string
  readonly socketPath: string
}

function rsyslogConfiguration({ port, folder, file, socketPath }: Places): string {
  const properties = [
    "app-name",
    "msgid",
    "structured-data",
    "hostname",
    "syslogseverity-text",
    "syslogfacility-text",
    "msg",
  ]
  const fields = properties.map((name) => `property(name="${name}" format="json")`)
  return `
    global(workDirectory="${folder}" maxMessageSize="512k" parser.escapeControlCharactersOnReceive="off")
    module(load="imtcp") module(load="imudp") module(load="imuxsock" sysSock.use="off")
    input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="file")
    input(type="imudp" address="127.0.0.1" port="${port}" ruleset="file")
    input(type="imuxsock" socket="${socketPath}" ruleset="file")
    template(name="record" type="list") {
      constant(value="[\\"") ${fields.join(' constant(value="\\",\\"") ')} constant(value="\\"]\\n")
    }
    ruleset(name="file") { action(type="omfile" file="${file}" template="record") }
  `
}

async function untilRecords(folder: string, file: string, count: number): Promise<readonly RsyslogRecord[]> {
  const watcher = watch(folder)
  const changes = on(watcher, "change")
  try {
    let records = await readRecords(file)
    while (records.length < count) {
      await changes.next()
      records = await readRecords(file)
    }
    return records
  } finally {
    watcher.close()
  }
}

async function readRecords(file: string): Promise<RsyslogRecord[]> {
  const lines = (await readFile(file, "utf8")).split("\n")
  return lines.slice(0, -1).map((line) => {
    const [appName, messageId, structuredData, hostname, severity, facility, body] = JSON.parse(line) as Fields
    return { appName, messageId, structuredData, hostname, severity, facility, body }
  })
}

type Fields = [string, string, string, string, string, string, string]
