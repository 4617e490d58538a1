/** A signal that SIGINT or SIGTERM gives. A second one ends the process at once, as it would without us. */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  const end = (): void => {
    for (const signal of SIGNALS) process.removeListener(signal, end)
    controller.abort()
  }
  for (const signal of SIGNALS) process.on(signal, end)
  return controller.signal
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const
