import type { EventBroker } from "./broker"
import { closedError } from "./parts/closed-error"
import { checkSyslogOptions } from "./syslog/check-syslog-options"
import { givenSender } from "./syslog/given-sender"
import { ownSender } from "./syslog/own-sender"
import type { SyslogFacility, SyslogLevel } from "./syslog/syslog-names"
import type { SyslogBrokerOptions, SyslogReadyClient, SyslogServer } from "./syslog/syslog-options"

export type { SyslogBrokerOptions, SyslogFacility, SyslogLevel, SyslogReadyClient, SyslogServer }

/**
 * Sends to syslog through winston-syslog: each message by itself, its body as other brokers get it.
 *
 * Accepted means: over TCP and TLS that the system has taken the message for a connected receiver, over UDP that it has sent
 * it. Syslog has no answer, so nobody learns what a receiver loses after that. Connects at the first publish, and after a
 * lost connection at the next one.
 *
 * @throws OPTIONS_INVALID, BROKER_CLIENT_MISSING. Its publish rejects with BROKER_UNAVAILABLE, PUBLISH_TIMEOUT (the receiver
 * does not read), MESSAGE_TOO_LARGE and PUBLISH_FAILED (neither of them retryable), BROKER_CLOSED.
 */
export function syslogBroker(options: SyslogBrokerOptions = {}): Required<Pick<EventBroker, "publish" | "close">> {
  checkSyslogOptions(options)
  const sender = options.client ? givenSender(options) : ownSender(options as SyslogServer)
  let closing: Promise<void> | undefined
  return {
    async publish(message) {
      if (closing) throw closedError("syslogBroker")
      await sender.send(message)
    },
    close: () => (closing ??= sender.close()),
  }
}
