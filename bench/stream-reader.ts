// Run as a process of its own, so that nothing keeps it from reading: `stream-reader.js <redis url>`.
import { Redis } from "ioredis"
import { serve } from "./worker"

/** The number that an event told, and when it was read, by `clockMs`. */
export type Arrival = readonly [number: number, atMs: number]

export const STREAM = "bench"

/** The machine's own clock, the same in every process. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Asked for so many arrivals, answers with those since the last answer as soon as they are that many; asked for none, at once. */
function main(url: string): void {
  const redis = new Redis(url)
  let arrivals: Arrival[] = []
  let waiting: { readonly count: number; readonly tell: (arrivals: readonly Arrival[]) => void } | undefined
  const tellIfEnough = (): void => {
    if (!waiting || arrivals.length < waiting.count) return
    waiting.tell(arrivals)
    waiting = undefined
    arrivals = []
  }
  void read(redis, (entries) => {
    const atMs = clockMs()
    for (const number of entries) arrivals.push([number, atMs])
    tellIfEnough()
  }).catch(() => undefined)
  serve<number, readonly Arrival[]>({
    answer: (count) =>
      new Promise((tell) => {
        waiting = { count, tell }
        tellIfEnough()
      }),
    close: async () => redis.disconnect(),
  })
}

async function read(redis: Redis, onNumbers: (numbers: readonly number[]) => void): Promise<never> {
  for (let last = "0"; ;) {
    const [[, entries] = ["", []]] = (await redis.xread("COUNT", 1_000, "BLOCK", 0, "STREAMS", STREAM, last)) ?? []
    last = entries.at(-1)?.[0] ?? last
    const numbers = entries.map(([, fields]) => numberIn(fields[fields.indexOf("body") + 1] as string))
    onNumbers(numbers.filter((number) => number !== undefined))
  }
}

/** What an update wrote into the row's comments. */
function numberIn(body: string): number | undefined {
  const found = /"differences":\{"added":\{"comments":"(\d+)"/.exec(body)?.[1]
  return found === undefined ? undefined : Number(found)
}

if (require.main === module) main(process.argv[2] as string)
