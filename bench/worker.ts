import { fork } from "node:child_process"

/** A process of its own that does what it is asked, one request at a time. */
export interface Worker<Request, Answer> {
  /** Rejects when the process ends before it has answered. */
  ask(request: Request): Promise<Answer>
  stop(): Promise<void>
}

/** What a worker does with a request, and at its end. */
export interface WorkerTask<Request, Answer> {
  answer(request: Request): Promise<Answer>
  close(): Promise<void>
}

const STOP = "stop"

/** Resolves when the process is ready for its first request. */
export async function startWorker<Request, Answer>(
  file: string,
  args: readonly string[],
): Promise<Worker<Request, Answer>> {
  const child = fork(file, [...args])
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
  const nextMessage = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      child.once("message", resolve)
      void ended.then((code) => reject(new Error(`${file} ended with ${code}`)))
    })
  await nextMessage()
  return {
    ask: (request) => {
      const answer = nextMessage() as Promise<Answer>
      child.send({ request })
      return answer
    },
    stop: async () => {
      child.send(STOP)
      const code = await ended
      if (code !== 0) throw new Error(`${file} ended with ${code}`)
    },
  }
}

/** Called by the worker's own process. */
export function serve<Request, Answer>({ answer, close }: WorkerTask<Request, Answer>): void {
  process.on("message", (message) => {
    const work =
      message === STOP
        ? close().then(() => process.disconnect())
        : answer((message as { request: Request }).request).then((given) => void process.send?.(given as object))
    work.catch((error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  })
  process.send?.("ready")
}
