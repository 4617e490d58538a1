/** Longer names are nobody's typing error, and comparing them would cost the product of the lengths. */
const MAX_LENGTH = 64

/**
 * The known name that was probably meant, or undefined when none is near. Near is a third of the letters wrong, at least one;
 * upper and lower case are the same. Of equally near names the first.
 */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  if (given.length > MAX_LENGTH) return undefined
  let nearest: string | undefined
  let least = Infinity
  for (const name of known) {
    const bound = Math.max(1, Math.floor(Math.max(given.length, name.length) / 3))
    if (Math.abs(given.length - name.length) > bound) continue
    const distance = editDistance(given.toLowerCase(), name.toLowerCase())
    if (distance > bound || distance >= least) continue
    nearest = name
    least = distance
  }
  return nearest
}

/** Letters to insert, remove or replace to get from one text to the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] as number) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const removed = (previous[column] as number) + 1
      const inserted = (current[column - 1] as number) + 1
      current.push(Math.min(replaced, removed, inserted))
    }
    previous = current
  }
  return previous[to.length] as number
}
