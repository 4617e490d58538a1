import { connect, createServer, type AddressInfo, type Socket } from "node:net"

export interface TcpProxy {
  readonly port: number
  /** How many connections were accepted so far. */
  readonly acceptedCount: number
  /** From now on nothing passes, and nothing is closed: as if a cable were pulled. New connections are accepted, and held. */
  blackHole(): void
  /** Resets every connection. The next one is accepted as before. */
  cut(): void
  /** Lets pass again what was held. */
  resume(): void
  stop(): Promise<void>
}

/** A proxy within this process, for connections that go wrong in ways a server does not. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  let isHeld = false
  let acceptedCount = 0
  const server = createServer((near) => {
    acceptedCount++
    pairs.add(joined(near, connect(targetPort, "127.0.0.1"), isHeld, (pair) => pairs.delete(pair)))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const hold = (held: boolean): void => {
    isHeld = held
    for (const pair of pairs) pair.hold(held)
  }
  const cut = (): void => pairs.forEach((pair) => pair.cut())
  return {
    port: (server.address() as AddressInfo).port,
    get acceptedCount() {
      return acceptedCount
    },
    blackHole: () => hold(true),
    resume: () => hold(false),
    cut,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      cut()
      await closed
    },
  }
}

interface Pair {
  hold(isHeld: boolean): void
  cut(): void
}

function joined(near: Socket, far: Socket, isHeld: boolean, ended: (pair: Pair) => void): Pair {
  const pair: Pair = {
    hold(held) {
      if (held) near.unpipe(far).pause()
      if (held) far.unpipe(near).pause()
      if (held) return
      // What one side has ended meanwhile, the other one hears of now.
      if (near.destroyed || far.destroyed) return pair.cut()
      near.pipe(far)
      far.pipe(near)
    },
    cut() {
      near.resetAndDestroy()
      far.destroy()
    },
  }
  const closed = (): void => void (near.closed && far.closed && ended(pair))
  for (const socket of [near, far]) socket.on("error", () => pair.cut()).on("close", closed)
  pair.hold(isHeld)
  return pair
}
