import type { EntityRecords } from "../capture/entity-record"
import { maskedCopy, type CopyProblem } from "../runtime/masked-copy"

/** More values than these are in nobody's result, but in a connection or a server that a job gave back by mistake. */
const MAX_VALUES = 100_000

const markers: Readonly<Record<CopyProblem, string>> = {
  "is a function": "[Function]",
  "is a symbol": "[Symbol]",
  "holds itself": "[Circular]",
  "has no JSON form": "[Unserializable]",
  "is too large": "[Too large]",
}

class TooLarge extends Error {}

/**
 * A job's arguments or output as JSON holds them. What JSON cannot hold is told by a marker, an entity by the rules of its images;
 * what is named like a secret is masked. Undefined is null. Never throws.
 */
export function jobValue(value: unknown, records: EntityRecords): unknown {
  try {
    const copy = maskedCopy(value, {
      maxValues: MAX_VALUES,
      ofInstance: (instance) => records.of(instance)?.data,
      unkeepable: (_, problem) => {
        if (problem === "is too large") throw new TooLarge()
        return markers[problem]
      },
    })
    return copy ?? null
  } catch (thrown) {
    return thrown instanceof TooLarge ? markers["is too large"] : markers["has no JSON form"]
  }
}
