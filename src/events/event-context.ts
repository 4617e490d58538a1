/**
 * What kind of action caused a change: a request, a job, a hook that a job's change triggered, a write outside any context,
 * a write of another program.
 */
export const changeContextKinds = ["Web", "Job", "Job hook", "ORM", "Unknown"] as const

export type ChangeContextKind = (typeof changeContextKinds)[number]

/** Who and why, as it was when the statement ran. Further keys (user id, client address, trace) are kept. */
export interface EventContext {
  /** The account's name, or null when nobody is known. */
  readonly userName: string | null
  /** A UUID shared by all changes of one request, job or, outside a context, transaction. */
  readonly requestId: string
  readonly changeContext: ChangeContextKind
  /** More about the kind: for `Web` the method and the route's pattern. At most 400 characters. Default "". */
  readonly changeContextDetail: string
  /** W3C trace context of the span that was active at the write (entry point `otel`), else of the request, if it had a valid one. */
  readonly traceparent?: string
  readonly [key: string]: unknown
}
