import { nearestName } from "./nearest-name"

/**
 * A sentence for every key that is not a known option, such as "unknown option `topicPrefx`, did you mean `topicPrefix`?".
 * `path` is where the object stands among the options, such as `brokers.redis`. A key whose value is undefined is a fault too:
 * the name is wrong whatever it holds.
 */
export function unknownKeyFaults(options: object, known: readonly string[], path: string = ""): string[] {
  const faults: string[] = []
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) faults.push(unknownKeyFault(key, known, path))
  }
  return faults
}

function unknownKeyFault(key: string, known: readonly string[], path: string): string {
  const nearest = nearestName(key, known)
  const full = (name: string): string => (path === "" ? name : `${path}.${name}`)
  const unknown = `unknown option \`${full(key)}\``
  return nearest === undefined
    ? `${unknown}, known are ${known.map((name) => `\`${name}\``).join(", ")}`
    : `${unknown}, did you mean \`${full(nearest)}\`?`
}
