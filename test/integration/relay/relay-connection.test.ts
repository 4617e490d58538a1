import { Client } from "pg"
import { RelayConnection, type RelayClient } from "../../../src/relay/relay-connection"
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../../servers/test-database"

const TIMEOUT_MS = 20_000

describeOnEveryPostgres((version) => {
  let database: TestDatabase
  let underWay: number
  let most: number

  beforeAll(async () => void (database = await createTestDatabase(version)))
  afterAll(() => database.drop())

  /** The driver's own client, of which is noted how many statements it had at once. */
  function countingClient(): RelayClient {
    const client = new Client(database.url)
    const query = client.query.bind(client) as RelayClient["query"]
    const counting: RelayClient["query"] = (config, answered) => {
      most = Math.max(most, ++underWay)
      query(config, (error, answer) => {
        underWay--
        answered(error, answer)
      })
    }
    return Object.assign(client as unknown as RelayClient, { query: counting })
  }

  it("sends one statement at a time, and gives each its own answer", async () => {
    underWay = most = 0
    const connection = new RelayConnection({ createClient: countingClient, timeoutMs: TIMEOUT_MS })

    const asked = [1, 2, 3].map((n) => connection.query("SELECT $1::int AS n", [n]))
    const failing = connection.query("SELECT 1/0")
    const last = connection.lists("SELECT 4", [])

    await expect(failing).rejects.toMatchObject({ code: "22012" })
    expect(await Promise.all([...asked, last])).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }], [[4]]])
    expect(most).toBe(1)
    await connection.close()
  })

  it("goes on with a new connection when the server ends the old one beneath what waits", async () => {
    underWay = most = 0
    const connection = new RelayConnection({ createClient: countingClient, timeoutMs: TIMEOUT_MS })

    const ended = connection.query("SELECT pg_terminate_backend(pg_backend_pid())").catch((error: Error) => error)
    const waiting = connection.query("SELECT 1").catch((error: Error) => error)

    expect(await Promise.all([ended, waiting])).toEqual([expect.any(Error), expect.any(Error)])
    expect(await connection.query("SELECT 1 AS one")).toEqual([{ one: 1 }])
    await connection.close()
  })

  it("connects no more once it is closed, whatever is still asked of it", async () => {
    let connected = 0
    const createClient = () => (connected++, countingClient())
    const connection = new RelayConnection({ createClient, timeoutMs: TIMEOUT_MS })
    expect(await connection.query("SELECT 1 AS one")).toEqual([{ one: 1 }])
    await connection.close()

    await expect(connection.query("SELECT 1")).rejects.toThrow("the relay's connection is closed")
    expect(connected).toBe(1)
  })

  it("tries anew to connect after the server refused it", async () => {
    const admin = new Client(database.url)
    await admin.connect()
    await admin.query("CREATE ROLE refused_at_first LOGIN CONNECTION LIMIT 0")
    const url = Object.assign(new URL(database.url), { username: "refused_at_first", password: "" }).href
    const createClient = () => new Client(url) as unknown as RelayClient
    const connection = new RelayConnection({ createClient, timeoutMs: TIMEOUT_MS })

    await expect(connection.query("SELECT 1 AS one")).rejects.toMatchObject({ code: "53300" })
    await admin.query("ALTER ROLE refused_at_first CONNECTION LIMIT 1")

    expect(await connection.query("SELECT 1 AS one")).toEqual([{ one: 1 }])
    await connection.close()
    await admin.query("DROP ROLE refused_at_first")
    await admin.end()
  })

  it("ends each client that did not connect in time", async () => {
    let [made, ended] = [0, 0]
    const neverConnected = {
      connect: () => new Promise(() => undefined),
      end: async () => void ended++,
      on: () => undefined,
    }
    const createClient = () => (made++, neverConnected as unknown as RelayClient)
    const connection = new RelayConnection({ createClient, timeoutMs: 20 })

    for (let n = 0; n < 3; n++) await expect(connection.query("SELECT 1")).rejects.toMatchObject({ code: "ETIMEDOUT" })

    expect([made, ended]).toEqual([3, 3])
    await connection.close()
  })
})
