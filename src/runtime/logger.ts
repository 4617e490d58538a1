/** Where reports go. pino, winston and console fit. Default: `console`, warnings and errors only. */
export interface Logger {
  warn(message: string): void
  error(message: string): void
}

/* eslint-disable no-console -- the one place that may write to the console */
export const consoleLogger: Logger = {
  warn: (message) => console.warn(message),
  error: (message) => console.error(message),
}
/* eslint-enable no-console */
