import { createDirectSink } from "../../../../src/publishing/direct-sink"
import { deviceEvents } from "./device-events"
import { hangingBroker, scriptedBroker } from "./scripted-broker"

/** A program of its own, for what only a process shows: whether it ends. `with-close` waits for its events, else it leaves. */
async function main(): Promise<void> {
  const sink = createDirectSink({ report: () => undefined })
  const endsWithClose = process.argv[2] === "with-close"
  const failsOnce = scriptedBroker((_, call) => (call === 1 ? new Error("busy") : undefined))
  sink.registerBroker("audit", endsWithClose ? failsOnce : hangingBroker())
  sink.accept(deviceEvents(1))
  if (!endsWithClose) return
  await sink.close()
  process.stdout.write(`delivered ${sink.status().brokers["audit"]?.delivered}\n`)
}

void main()
