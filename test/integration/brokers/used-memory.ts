import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/** What is in use after a garbage collection, heap and buffers, in bytes. */
export function usedMemoryBytes(): number {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
