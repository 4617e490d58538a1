/** Where a command writes. */
export interface Output {
  /** What was asked for, and nothing else, so that it may be piped. */
  write(text: string): Promise<void>
  /** Everything else, a line each. */
  tell(line: string): void
}

export function processOutput(): Output {
  return {
    write: (text) =>
      new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve()))),
    tell: (line) => void process.stderr.write(`${line}\n`),
  }
}
