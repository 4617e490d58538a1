import type { OutgoingRow } from "./outgoing-messages"
import type { LogPage, WindowReader } from "./window-reader"

/** A page and what is to be sent of it. */
export interface PreparedPage {
  /** The how manieth reading it was, to tell what was read before something from what was read after. */
  readonly read: number
  readonly page: LogPage
  readonly rows: readonly OutgoingRow[]
}

/** Pages that are read, or are being read, beside the one that is sent: with one the broker is waited for, or the database. */
const PAGES_AHEAD = 2

/** The pages of a cursor, read and made ready while those before them are sent, until one finds nothing. For one who takes them in turn. */
export class PreparedPages {
  private readonly ahead: Promise<PreparedPage>[] = []
  private isReading = false
  private isAtEnd = false
  private isStopped = false
  private lastReading: Promise<void> = Promise.resolve()

  constructor(
    private readonly reader: WindowReader,
    /** Numbers the readings. */
    private readonly nextRead: () => number,
    private readonly prepare: (page: LogPage) => readonly OutgoingRow[],
  ) {}

  /** @throws what the database said; then nothing more is read of its own accord. */
  next(): Promise<PreparedPage> {
    const next = this.ahead.shift()
    if (next === undefined) return this.start()
    this.readAhead()
    return next
  }

  /** Nothing more is read of its own accord. Resolves when nothing is being read. */
  stop(): Promise<void> {
    this.isStopped = true
    return this.lastReading
  }

  private readAhead(): void {
    if (this.isReading || this.isAtEnd || this.isStopped || this.ahead.length >= PAGES_AHEAD) return
    this.ahead.push(this.start())
  }

  private start(): Promise<PreparedPage> {
    this.isReading = true
    const reading = this.read()
    this.lastReading = reading.then(
      ({ page }) => this.ended(page.isIdle),
      () => this.ended(true),
    )
    return reading
  }

  private ended(isAtEnd: boolean): void {
    this.isReading = false
    this.isAtEnd = isAtEnd
    this.readAhead()
  }

  private async read(): Promise<PreparedPage> {
    const read = this.nextRead()
    const page = await this.reader.next()
    return { read, page, rows: this.prepare(page) }
  }
}
