/**
 * The request id of a write that nobody told a context of: a UUID that is the same for all statements of a transaction, of which nothing is
 * kept in the session. Not by md5(), which some servers must not compute.
 */
export const UNKNOWN_REQUEST = uuidOf(
  "concat(pg_current_xact_id(), ' ', extract(epoch FROM now()), ' ', current_database())",
)

function uuidOf(text: string): string {
  const digits = `left(encode(sha256(convert_to(${text}, 'UTF8')), 'hex'), 32)`
  return `overlay(overlay(${digits} placing '4' from 13) placing '8' from 17)::uuid`
}
