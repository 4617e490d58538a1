import { withClient } from "./with-client"

/** Resolves once a statement of the database waits for a lock. */
export async function waitingForLock(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    for (let found = 0; found === 0;) found = (await client.query(waiting)).rowCount ?? 0
  })
}
