import { diagnosticsChannels, onDiagnostics, type DiagnosticsMessages, type DiagnosticsName } from "../../src"

export interface HeardMessages {
  /** What was heard on that channel, oldest first. */
  on<Name extends DiagnosticsName>(name: Name): readonly DiagnosticsMessages[Name][]
  /** Resolves with the first message of that channel, past or to come, that is meant. */
  until<Name extends DiagnosticsName>(
    name: Name,
    isMeant: (message: DiagnosticsMessages[Name]) => boolean,
  ): Promise<DiagnosticsMessages[Name]>
  /** All that was heard, as a text. */
  text(): string
  stop(): void
}

/** Listens on every channel. */
export function hearDiagnostics(): HeardMessages {
  const heard: { readonly name: DiagnosticsName; readonly message: unknown }[] = []
  const looking = new Set<() => void>()
  const names = Object.keys(diagnosticsChannels) as DiagnosticsName[]
  const stops = names.map((name) =>
    onDiagnostics(name, (message) => {
      heard.push({ name, message })
      for (const look of looking) look()
    }),
  )
  const on = <Name extends DiagnosticsName>(name: Name): readonly DiagnosticsMessages[Name][] =>
    heard.filter((each) => each.name === name).map(({ message }) => message as DiagnosticsMessages[Name])
  return {
    on,
    until: (name, isMeant) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = on(name).find(isMeant)
          if (found === undefined) return
          looking.delete(look)
          resolve(found)
        }
        looking.add(look)
        look()
      }),
    text: () => JSON.stringify(heard),
    stop: () => stops.forEach((stop) => stop()),
  }
}
