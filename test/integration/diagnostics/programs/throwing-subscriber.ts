import "reflect-metadata"
import { subscribe } from "node:diagnostics_channel"
import { DataSource } from "typeorm"
import { fixtureOptions } from "../../../../fixtures/fixture-options"
import { Site } from "../../../../fixtures/inventory/site"
import { changeEvents, diagnosticsChannels } from "../../../../src"
import { memoryBroker } from "../../../../src/testing"

// Writes with subscribers that throw at every message, and prints what came of it. A program of its own, because Node makes what a subscriber
// throws an uncaught exception, which a test runner takes for its own.

const { URL_OF_DATABASE: url = "", DELIVERY = "direct" } = process.env

async function main(): Promise<void> {
  const thrown = new Set<string>()
  process.on("uncaughtException", ({ message }) => thrown.add(message))
  for (const name of Object.values(diagnosticsChannels)) {
    subscribe(name, () => {
      throw new Error(name)
    })
  }
  const broker = memoryBroker()
  const changes = changeEvents({ brokers: { broker }, delivery: DELIVERY as "direct" | "outbox" })
  const dataSource = new DataSource({ ...fixtureOptions, url, subscribers: [changes.subscriber] })
  await dataSource.initialize()
  if (DELIVERY === "outbox") await changes.startRelay()
  const ids: number[] = []
  for (const name of ["a", "b", "c"]) ids.push((await dataSource.manager.save(Site, { name, slug: name })).id)
  await changes.flush()
  await changes.close()
  await dataSource.destroy()
  await new Promise((resolve) => setImmediate(resolve))
  process.stdout.write(JSON.stringify({ ids, topics: broker.messages.map(({ topic }) => topic), thrown: [...thrown] }))
}

void main()
