/** Of what copies of this package share. Copies whose shared objects differ do not know one another. */
const FORMAT = 1

export function sharedSymbol(name: string): symbol {
  return Symbol.for(`typeorm-change-events.${name}.${FORMAT}`)
}

/**
 * State that all copies of this package in a process share: a development server may load it again while TypeORM, and what we
 * registered there, stays.
 */
export function sharedState<T extends object>(name: string, create: () => T): T {
  const owner = globalThis as unknown as Record<symbol, T | undefined>
  return (owner[sharedSymbol(name)] ??= create())
}
