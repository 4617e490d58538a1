/** One way of doing the same thing. */
export type Variant = () => Promise<void>

export interface Comparison {
  readonly name: string
  /** Median time of an operation by variant, relative to the first variant's in the same blocks. */
  readonly ratios: Readonly<Record<string, Ratio>>
}

export interface Ratio {
  readonly median: number
  /** First and third quartile of the ratios of the blocks. */
  readonly low: number
  readonly high: number
}

export interface ComparisonOptions {
  /** A ratio is made of each block's medians. Default 15. */
  readonly blocks?: number
  /** Operations of each variant in a block. Default 120. */
  readonly operations?: number
  /** Operations of each variant before the clock starts. Default 400: TypeORM takes long to warm up. */
  readonly warmUp?: number
}

/** Runs the variants operation by operation in shuffled order: what the machine does meanwhile hits all of them alike. */
export async function compare(
  name: string,
  variants: Readonly<Record<string, Variant>>,
  { blocks = 15, operations = 120, warmUp = 400 }: ComparisonOptions = {},
): Promise<Comparison> {
  const names = Object.keys(variants)
  const block = (count: number) =>
    timeBlock(
      names.map((variant) => variants[variant] as Variant),
      count,
    )
  await block(warmUp)
  const medians: number[][] = []
  for (let index = 0; index < blocks; index++) medians.push(await block(operations))
  const ratios = names.map((variant, at) => [
    variant,
    spread(medians.map((times) => (times[at] as number) / (times[0] as number))),
  ])
  return { name, ratios: Object.fromEntries(ratios) as Record<string, Ratio> }
}

/** What the blocks of one round did in a second, by variant. */
export type RateRound = Readonly<Record<string, number>>

export interface RateComparison extends Comparison {
  readonly rounds: readonly RateRound[]
}

/**
 * Runs one block of each variant a round, in shuffled order. A block gives how much it did in a second; ratios are of that, to the first
 * variant's in the same round. The first round is not counted.
 */
export async function compareRates(
  name: string,
  variants: Readonly<Record<string, () => Promise<number>>>,
  rounds: number,
): Promise<RateComparison> {
  const names = Object.keys(variants)
  const done: RateRound[] = []
  for (let index = 0; index <= rounds; index++) {
    const round: Record<string, number> = {}
    for (const at of shuffled(names.length, 1)) {
      const variant = names[at] as string
      round[variant] = await (variants[variant] as () => Promise<number>)()
    }
    if (index > 0) done.push(round)
  }
  const ratios = names.map((variant) => [variant, ratioBetween(done, variant, names[0] as string)])
  return { name, ratios: Object.fromEntries(ratios) as Record<string, Ratio>, rounds: done }
}

/** One variant's rates relative to another's of the same round. */
export function ratioBetween(rounds: readonly RateRound[], variant: string, base: string): Ratio {
  return spread(rounds.map((round) => (round[variant] as number) / (round[base] as number)))
}

async function timeBlock(variants: readonly Variant[], count: number): Promise<number[]> {
  const times: number[][] = variants.map(() => [])
  for (const at of shuffled(variants.length, count)) {
    const start = process.hrtime.bigint()
    await (variants[at] as Variant)()
    times[at]?.push(Number(process.hrtime.bigint() - start))
  }
  return times.map((list) => quantile(list, 0.5))
}

/** Each variant `count` times, in random order within every round. */
function shuffled(variants: number, count: number): number[] {
  return Array.from({ length: count }, () => {
    const round = Array.from({ length: variants }, (_, at) => at)
    for (let index = round.length - 1; index > 0; index--) {
      const other = Math.floor(Math.random() * (index + 1))
      ;[round[index], round[other]] = [round[other] as number, round[index] as number]
    }
    return round
  }).flat()
}

/** Median and quartiles. */
export function spread(values: readonly number[]): Ratio {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) }
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
