import { Tag } from "../../../fixtures/inventory/tag"
import { describeTransactions } from "../../support/describe-transactions"
import { once } from "node:events"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { withClient } from "../../support/with-client"

/** A proxy that can lose the server's answers: what the client sends still arrives. */
async function startDeafeningProxy(port: number): Promise<{ readonly port: number; deafen(): void; stop(): void }> {
  const sockets: Socket[] = []
  let isDeaf = false
  const proxy = createServer((client) => {
    const server = connect(port, "127.0.0.1")
    sockets.push(client, server)
    for (const socket of [client, server]) socket.on("error", () => undefined)
    client.pipe(server)
    server.on("data", (data) => (isDeaf ? client.destroy() : client.write(data)))
  }).listen(0, "127.0.0.1")
  await once(proxy, "listening")
  return {
    port: (proxy.address() as AddressInfo).port,
    deafen: () => void (isDeaf = true),
    stop: () => {
      sockets.forEach((socket) => socket.destroy())
      proxy.close()
    },
  }
}

describeTransactions((suite) => {
  it("tells what was committed although another subscriber throws after the commit", async () => {
    suite.failIn("afterTransactionCommit")
    await expect(suite.dataSource.transaction((manager) => suite.save(manager, "committed"))).rejects.toThrow(
      "another subscriber",
    )

    expect(await suite.told()).toEqual(["committed"])
  })

  it("tells nothing of a suite.save() that another subscriber's hook rolled back", async () => {
    suite.failIn("afterInsert")
    await expect(suite.dataSource.manager.save(Tag, { name: "hooked" })).rejects.toThrow("another subscriber")

    expect(await suite.told()).toEqual([])
  })

  it("tells an insert() that is committed although another subscriber's hook throws", async () => {
    suite.failIn("afterInsert")
    await expect(suite.save(suite.dataSource.manager, "hooked")).rejects.toThrow("another subscriber")

    expect(await suite.told()).toEqual(["hooked"])
  })

  it("leaves the events of a released runner's open transaction to whoever ends it", async () => {
    const single = await suite.captured.database.dataSource({
      poolSize: 1,
      subscribers: [suite.captured.changes.subscriber],
    })
    const leaking = single.createQueryRunner()
    await leaking.startTransaction()
    await suite.save(leaking.manager, "leaked")
    await leaking.release()
    await suite.save(single.manager, "inside the leak")
    expect(await suite.captured.events()).toEqual([])

    await single.query("COMMIT")

    expect(await suite.told()).toEqual(["leaked", "inside the leak"])
    await single.destroy()
  })

  it("tells what a disposed runner commits", async () => {
    const runner = suite.dataSource.createQueryRunner()
    await runner.startTransaction()
    await suite.save(runner.manager, "disposed")
    await runner[Symbol.asyncDispose]()

    expect(await suite.told()).toEqual(["disposed"])
  })

  it("tells nothing of a transaction whose server process was killed", async () => {
    const work = suite.dataSource.transaction(async (manager) => {
      await suite.save(manager, "killed")
      const [{ pid }] = await manager.query("SELECT pg_backend_pid() AS pid")
      await withClient(suite.captured.database.url, (client) => client.query("SELECT pg_terminate_backend($1)", [pid]))
      await suite.save(manager, "too late")
    })

    await expect(work).rejects.toThrow()
    expect(await suite.told()).toEqual([])
  })

  it("tells nothing of a transaction that destroy() cut off", async () => {
    const doomed = await suite.captured.database.dataSource({ subscribers: [suite.captured.changes.subscriber] })
    const runner = doomed.createQueryRunner()
    await runner.startTransaction()
    await suite.save(runner.manager, "cut off")
    await doomed.destroy()

    expect(await suite.told()).toEqual([])
  })

  it("tells nothing, but reports it, when the connection is lost before COMMIT is answered", async () => {
    const { port } = new URL(suite.captured.database.url)
    const proxy = await startDeafeningProxy(Number(port))
    const url = Object.assign(new URL(suite.captured.database.url), { port: String(proxy.port) }).href
    const remote = await suite.captured.database.dataSource({
      url,
      poolSize: 1,
      subscribers: [suite.captured.changes.subscriber],
    })
    const work = remote.transaction(async (manager) => {
      await suite.save(manager, "unknown")
      proxy.deafen()
    })

    await expect(work.finally(() => proxy.stop())).rejects.toThrow()
    expect(await suite.captured.events()).toEqual([])
    expect(suite.captured.logged.join()).toContain(
      "COMMIT_OUTCOME_UNKNOWN: 1 events of a transaction are not delivered",
    )
  })
})
