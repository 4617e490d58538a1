import type { ProtocolConnection } from "./driver-query"

/**
 * What is kept by name for each connection, as long as that lasts. Found by its list of parsed statements, which a connection that only
 * stands in for another has from it.
 */
export function perConnection<Value>(): (connection: ProtocolConnection) => Map<string, Value> {
  const maps = new WeakMap<object, Map<string, Value>>()
  return ({ parsedStatements }) => {
    const known = maps.get(parsedStatements)
    if (known) return known
    const none = new Map<string, Value>()
    maps.set(parsedStatements, none)
    return none
  }
}
