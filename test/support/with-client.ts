import { Client } from "pg"

/** Runs on a connection of its own, past TypeORM and its subscribers, and closes it. */
export async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return use(client).finally(() => client.end())
}
