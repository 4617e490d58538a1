import type { Socket } from "node:net"

/** The transport of winston-syslog, which ships no types. */
export interface Syslog {
  readonly queue: readonly unknown[]
  readonly socket: Socket | null
  close(): void
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would need types
export const { Syslog } = require("winston-syslog") as { readonly Syslog: new (options: object) => Syslog }
