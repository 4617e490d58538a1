import { DataSource } from "typeorm"
import { sharedSymbol } from "../runtime/shared-state"
import { findCapture } from "./find-capture"

const WATCHED = sharedSymbol("initialize")

/**
 * Makes every DataSource that has our subscriber known when it is initialised: TypeORM tells a subscriber nothing before the first
 * statement, and what publishes or relays may come before that. Once a process.
 */
export function watchDataSources(): void {
  const prototype = DataSource.prototype as DataSource & Record<symbol, unknown>
  if (prototype[WATCHED]) return
  const { initialize } = prototype
  prototype.initialize = async function (this: DataSource) {
    const initialized = await initialize.call(this)
    findCapture(this)
    return initialized
  }
  prototype[WATCHED] = true
}
