import type * as OpenTelemetry from "@opentelemetry/api"
import { peerPackage } from "../brokers/parts/peer-package"

export type Api = typeof OpenTelemetry

/** @throws ChangeEventsError BROKER_CLIENT_MISSING */
export function loadApi(): Api {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an optional peer: loaded when it is needed
  return peerPackage("@opentelemetry/api", "instrumentChangeEvents", () => require("@opentelemetry/api")) as Api
}
