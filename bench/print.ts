import type { Backlog } from "./backlog"
import type { HeldEvents } from "./held-events"
import { quantile, ratioBetween, type Comparison, type RateComparison, type Ratio } from "./interleaved"
import type { Latency } from "./latency"
import type { Soak, SoakLine } from "./soak"

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

export function printLatency({ name, p50, p99 }: Latency): void {
  const told = (of: Ratio): string => `${of.median.toFixed(1)} ms (${of.low.toFixed(1)}–${of.high.toFixed(1)})`
  console.log(`commit to subscriber, ${name}: p50 ${told(p50)}, p99 ${told(p99)}`)
}

export function printHeldEvents({ events, atCommitMb, untilDeliveredMb }: HeldEvents): void {
  console.log(`${events} events of one transaction`)
  console.log(
    `  ${atCommitMb.toFixed(0)} MB more process memory at the commit, ${untilDeliveredMb.toFixed(0)} MB until delivered`,
  )
}

export function printBacklog({ events, eventBytes, rates, rssMb, rssSlopeMb }: Backlog): void {
  console.log(
    `${events} events of ${eventBytes} bytes that waited in the log, delivered by one relay to a Redis stream`,
  )
  for (const [index, rate] of rates.entries()) {
    console.log(
      `  ${String((index + 1) * 100_000).padStart(9)}   ${rate.toFixed(0)} a second   ${rssMb[index]?.toFixed(0)} MB`,
    )
  }
  console.log(`  memory grows by ${rssSlopeMb.toFixed(1)} MB for each 100,000 events`)
}

export function printSoakLine(line: SoakLine): void {
  const { minutes, written, delivered, p50, p99, writerMb, relayMb, logMb, deadRows } = line
  const latency = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`
  const memory = `writer ${writerMb.toFixed(0)} MB, relay ${relayMb.toFixed(0)} MB`
  console.log(
    `  ${minutes.toFixed(1)} min   ${written} written, ${written - delivered} behind   ${latency}   ${memory}, ` +
      `log ${logMb.toFixed(0)} MB, ${deadRows} dead rows`,
  )
}

export function printSoak({ written, writerSlopeMb, relaySlopeMb }: Soak): void {
  console.log(
    `  all ${written} delivered; memory grows by ${writerSlopeMb.toFixed(2)} and ${relaySlopeMb.toFixed(2)} MB a minute`,
  )
}

function times({ median, low, high }: Ratio): string {
  return `${median.toFixed(2)} ×   (${low.toFixed(2)}–${high.toFixed(2)})`
}
