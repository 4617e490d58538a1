import type { DataSource, EntityManager } from "typeorm"

/** Whether each row's change makes its event; or is reported; or nobody hears of it. */
export type Fate = "exact" | "detected" | "unseen"

/** One way in which rows change. */
export interface WritePath {
  readonly name: string
  /** Captured around TypeORM. Default "exact". */
  readonly orm?: Fate
  /** Captured by triggers. Default "exact". */
  readonly triggers?: Fate
  /** Makes what it needs, calls `begin`, and writes. */
  readonly run: (path: PathRun) => Promise<unknown>
}

export interface PathRun {
  readonly dataSource: DataSource
  readonly manager: EntityManager
  readonly url: string
  /** A text that no other path has. */
  readonly text: string
  readonly number: number
  /** Ends the arrangement: what was written before it is not looked at. */
  begin(): Promise<void>
}

export type Work = WritePath["run"]
