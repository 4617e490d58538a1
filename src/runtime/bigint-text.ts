const GREATEST = 9_223_372_036_854_775_807n

/** Whether the text is a number from 0 on that a bigint of Postgres can hold. */
export function isBigintText(text: string): boolean {
  return /^\d{1,19}$/.test(text) && BigInt(text) <= GREATEST
}
