/** A pause that can be cut short, and grows while nothing happens. */
export class Waiting {
  private idleRounds = 0
  private wakeUp: (() => void) | undefined
  private isWoken = false

  wake(): void {
    this.isWoken = true
    this.wakeUp?.()
  }

  /** Something happened: the next idle pause is the shortest again. */
  reset(): void {
    this.idleRounds = 0
  }

  /** Twice as long each time, between the two; a wake-up ends it, also one that came before. */
  async longer({ least, most }: { readonly least: number; readonly most: number }): Promise<void> {
    const delayMs = Math.min(most, least * 2 ** Math.min(this.idleRounds++, 20))
    if (!this.isWoken) await this.sleep(delayMs)
    this.isWoken = false
  }

  /** As long as this, unless it is woken meanwhile: what failed a moment ago is not tried again for an older wake-up. */
  async atLeast(delayMs: number): Promise<void> {
    this.isWoken = false
    await this.sleep(delayMs)
  }

  private sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, delayMs)
      this.wakeUp = done
      const forget = (): void => (this.wakeUp = undefined)
      function done(): void {
        clearTimeout(timer)
        forget()
        resolve()
      }
    })
  }
}
