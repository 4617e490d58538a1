import { checkOptions } from "../parts/check-options"
import { milliseconds, objectWith, trueOrFalse, type OptionCheck } from "../parts/option-checks"
import { isPrivateHost } from "./public-address"
import { signingKey } from "./signature"

/** @throws OPTIONS_INVALID naming all faults. */
export function checkWebhookOptions(options: unknown): void {
  const { allowPrivateAddresses } = (options ?? {}) as { readonly allowPrivateAddresses?: unknown }
  checkOptions({
    factory: "webhookBroker",
    options,
    checks: {
      url: allowPrivateAddresses === true ? anyUrl : publicUrl,
      secret,
      timeoutMs: milliseconds,
      followRedirects: trueOrFalse,
      allowPrivateAddresses: trueOrFalse,
      tls: objectWith(),
    },
    needs: ["url", "secret"],
  })
}

const anyUrl: OptionCheck = (value) =>
  typeof value === "string" && /^https?:\/\//i.test(value) && URL.canParse(value)
    ? undefined
    : "must be an http:// or https:// URL"

const publicUrl: OptionCheck = (value) => {
  const fault = anyUrl(value)
  if (fault !== undefined || !isPrivateHost(new URL(value as string))) return fault
  return "leads to a private address; `allowPrivateAddresses: true` allows that"
}

const secret: OptionCheck = (value) => {
  const secrets: readonly unknown[] = Array.isArray(value) ? value : [value]
  return secrets.length > 0 && secrets.every((one) => signingKey(one) !== undefined)
    ? undefined
    : "must be `whsec_` and the base64 of 24 to 64 bytes, or an array of such texts"
}
