/** A server that the integration tests talk to. */
export interface TestServer {
  /** What the test workers need to find it: environment variables by name. */
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}
