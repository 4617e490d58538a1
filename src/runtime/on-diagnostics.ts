import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { diagnosticsChannels } from "./diagnostics"
import type { DiagnosticsMessages, DiagnosticsName } from "./diagnostics-messages"

/**
 * Calls the listener with each message of that channel, of every `changeEvents()` in the process. It is called synchronously, where the
 * thing happens: be quick. What it throws disturbs nothing here; Node throws it again as an uncaught exception. Gives a function that ends it.
 */
export function onDiagnostics<Name extends DiagnosticsName>(
  name: Name,
  listener: (message: DiagnosticsMessages[Name]) => void,
): () => void {
  const heard = (message: unknown): void => listener(message as DiagnosticsMessages[Name])
  subscribe(diagnosticsChannels[name], heard)
  return () => void unsubscribe(diagnosticsChannels[name], heard)
}
