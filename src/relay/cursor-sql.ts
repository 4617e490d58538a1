// What several statements say of a cursor, in one place each.

/** Of a cursor's row: no row of the log up to this id is still to come. */
export const CURSOR_FLOOR = "least(done_id, (SELECT min(value::bigint) FROM jsonb_each_text(open)))"

/** Whether a key belongs to the shard. All are SQL. */
export function isInShard(key: string, shards: string, shard: string): string {
  return `(hashtext(${key})::bigint & 2147483647) % ${shards} = ${shard}`
}
