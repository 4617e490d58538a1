import { ChangeEventsError } from "../../errors"

/**
 * Loads an optional peer. `load` holds a literal `require("…")`, which bundlers can see, and which runs only when a broker
 * that needs the package is made.
 *
 * @throws BROKER_CLIENT_MISSING naming the package and the command that installs it.
 */
export function peerPackage(name: string, neededBy: string, load: () => unknown): unknown {
  try {
    return load()
  } catch (cause) {
    const message = `${neededBy} could not load the package ${name}; install it with: npm install ${name}`
    throw new ChangeEventsError("BROKER_CLIENT_MISSING", message, { cause, details: { package: name } })
  }
}
