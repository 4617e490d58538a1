import "reflect-metadata"
import { setTimeout as pause } from "node:timers/promises"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../../../fixtures/fixture-options"
import { changeEvents } from "../../../src"
import { killAtWrite } from "./kill-at-write"
import { anyWrite, TakenBack } from "./writes"

// Writes rows and, in the same transactions, a ledger of what it wrote, until SIGTERM. Prints what became of its transactions as JSON.
// KILL_AT=in-transaction | at-commit: kills itself in the middle of a transaction behind the tenth, or right after its COMMIT was sent.

const { URL_OF_DATABASE: url = "", WRITERS = "4", KILL_AT = "" } = process.env
const KILLED_TRANSACTION = 10

/** Between two transactions of a writer, in milliseconds: what is tested also wants the processor. */
const PAUSE_MS = 10

const silent = { warn: () => undefined, error: () => undefined }
const changes = changeEvents({ delivery: "outbox", logger: silent })
const dataSource = new DataSource({
  ...fixtureOptions,
  url,
  poolSize: Number(WRITERS),
  subscribers: [changes.subscriber],
})

const counts = { committed: 0, takenBack: 0, failed: 0 }
let begun = 0
let isStopped = false

async function writeOnce(): Promise<void> {
  const write = anyWrite()
  await dataSource.transaction(async (manager) => {
    await write(manager)
    if (++begun >= KILLED_TRANSACTION && KILL_AT === "in-transaction") process.kill(process.pid, "SIGKILL")
  })
  counts.committed++
}

async function write(): Promise<void> {
  while (!isStopped) {
    // The ledger knows whether it was committed after all.
    await writeOnce().catch((thrown: unknown) => counts[thrown instanceof TakenBack ? "takenBack" : "failed"]++)
    await pause(PAUSE_MS)
  }
}

async function main(): Promise<void> {
  // Prepared, only its name is sent.
  if (KILL_AT === "at-commit") killAtWrite(["COMMIT", "change_events_commit"], () => begun >= KILLED_TRANSACTION)
  process.once("SIGTERM", () => (isStopped = true))
  await dataSource.initialize()
  // The pool hands a new connection on without a listener for what the server says in the moment in which it is ready: that it ends.
  const { master } = dataSource.driver as unknown as { master: NodeJS.EventEmitter }
  master.on("connect", (client: NodeJS.EventEmitter) => client.on("error", () => undefined))
  await Promise.all(Array.from({ length: Number(WRITERS) }, write))
  process.stdout.write(JSON.stringify(counts), () => process.exit(0))
}

void main()
