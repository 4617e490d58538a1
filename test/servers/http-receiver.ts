import { EventEmitter, on } from "node:events"
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo } from "node:net"
import type { Certificate } from "./certificate"

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The port it came from: the same one for the same connection. */
  readonly clientPort: number
}

/** Answers a request that has been read to its end. */
export type Answer = (response: ServerResponse, request: ReceivedRequest) => void

export interface HttpReceiver {
  readonly port: number
  /** What has come, oldest first. */
  readonly requests: readonly ReceivedRequest[]
  /** From now on requests are answered so. At first with 204. */
  answer(answer: Answer): void
  received(count: number): Promise<readonly ReceivedRequest[]>
  /** Stops listening, and resets every connection. */
  kill(): Promise<void>
  /** Listens again, on the same port. */
  start(): Promise<void>
}

/** A server for HTTP, or HTTPS, within this process. */
export async function startHttpReceiver(certificate?: Certificate): Promise<HttpReceiver> {
  const arrivals = new EventEmitter()
  const requests: ReceivedRequest[] = []
  let currentAnswer: Answer = (response) => void response.writeHead(204).end()
  const listener: RequestListener = (incoming, response) => {
    const parts: Buffer[] = []
    incoming.on("data", (part: Buffer) => parts.push(part))
    incoming.on("end", () => {
      const { method = "", url: path = "", headers, socket } = incoming
      const clientPort = socket.remotePort ?? 0
      const request = { method, path, headers, body: Buffer.concat(parts).toString(), clientPort }
      requests.push(request)
      currentAnswer(response, request)
      arrivals.emit("request")
    })
  }
  const server = certificate ? createTlsServer({ ...certificate }, listener) : createServer(listener)
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    port,
    requests,
    answer: (answer) => void (currentAnswer = answer),
    async received(count) {
      if (requests.length < count) {
        for await (const _ of on(arrivals, "request")) if (requests.length >= count) break
      }
      return requests
    },
    async kill() {
      if (!server.listening) return
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
    start: () => listen(port),
  }
}
