/** Resolves when somebody presses Ctrl+C, or asks the process to end. A second time ends it at once. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => undefined, 60_000)
    const stop = (): void => {
      clearInterval(keepAlive)
      resolve()
    }
    process.once("SIGINT", stop)
    process.once("SIGTERM", stop)
  })
}
