/** What becomes of the events of a key behind one that the broker refused for good: they wait with it, or go on without it. */
export type PoisonPolicy = "hold-key" | "skip"
