// Run as a process of its own, as a network is one: `slow-network.js <port> <milliseconds each way>`.
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { serve } from "./worker"

interface Parcel {
  readonly dueAt: number
  readonly deliver: () => void
}

/** So long the process sleeps at once while something is under way: timers of Node know whole milliseconds only. */
const NAP_MS = 0.1

/** What is under way, in the order of its arrival. Parcels of all connections travel at once. */
class Road {
  private readonly parcels: Parcel[] = []
  private readonly clock = new Int32Array(new SharedArrayBuffer(4))

  constructor(private readonly delayMs: number) {}

  send(deliver: () => void): void {
    this.parcels.push({ dueAt: performance.now() + this.delayMs, deliver })
    if (this.parcels.length === 1) setImmediate(() => this.go())
  }

  private go(): void {
    const [first] = this.parcels
    if (!first) return
    const left = first.dueAt - performance.now()
    if (left > 0) Atomics.wait(this.clock, 0, 0, Math.min(left, NAP_MS))
    while (this.parcels[0] && this.parcels[0].dueAt <= performance.now()) this.parcels.shift()?.deliver()
    if (this.parcels.length > 0) setImmediate(() => this.go())
  }
}

function main(targetPort: number, delayMs: number): void {
  const road = new Road(delayMs)
  const carry = (from: Socket, to: Socket): void => {
    from.on("data", (data: Buffer) => road.send(() => to.write(data)))
    from.on("end", () => road.send(() => to.end()))
    from.on("error", () => to.destroy())
  }
  const server = createServer((near) => {
    const far = connect({ port: targetPort, host: "127.0.0.1", noDelay: true })
    near.setNoDelay(true)
    carry(near, far)
    carry(far, near)
  })
  server.listen(0, "127.0.0.1", () =>
    serve<"port", number>({
      answer: async () => (server.address() as AddressInfo).port,
      close: async () => void server.close(),
    }),
  )
}

if (require.main === module) main(Number(process.argv[2]), Number(process.argv[3]))
