import { once } from "node:events"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"

/** Runs the function against a server on a real socket, and closes both. */
export async function served(listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
    await once(server, "close")
  }
}

/** What a server under test tells of the context it answered in. */
export type ToldContext = Readonly<Record<string, unknown>>

export async function getContext(url: string, init: RequestInit = {}): Promise<ToldContext> {
  const response = await fetch(url, init)
  return (await response.json()) as ToldContext
}
