import type { Comparison, Ratio, RateComparison } from "./interleaved"
import { quantile, ratioBetween } from "./interleaved"

/** The ratios to the first variant, which has none; and whether the control says that they mean nothing. */
export function printComparison({ name, ratios }: Comparison): void {
  const { control } = ratios
  const noisy = control && Math.abs(control.median - 1) > 0.05 ? "   (too noisy: the control is not near 1)" : ""
  console.log(name + noisy)
  for (const [variant, ratio] of Object.entries(ratios).slice(1)) console.log(`  ${variant.padEnd(10)} ${times(ratio)}`)
}

/** The same of rates, of which also the medians are told. */
export function printRates(comparison: RateComparison): void {
  printComparison(comparison)
  const { rounds } = comparison
  const rates = Object.keys(comparison.ratios).map(
    (variant) =>
      `${variant} ${quantile(
        rounds.map((round) => round[variant] as number),
        0.5,
      ).toFixed(0)}`,
  )
  console.log(`  in a second: ${rates.join(", ")}`)
}

/** One more ratio: of one variant to another than the first. */
export function printBetween({ rounds }: RateComparison, variant: string, base: string): void {
  console.log(`  ${variant} is ${times(ratioBetween(rounds, variant, base))} of ${base}`)
}

function times({ median, low, high }: Ratio): string {
  return `${median.toFixed(2)} ×   (${low.toFixed(2)}–${high.toFixed(2)})`
}
