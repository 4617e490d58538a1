export { changeEvents, type ChangeEvents, type ChangeEventsStatus } from "./change-events"
export type { ChangeOf, EntityKey, EventHistory } from "./history"
export type { HistoryOptions, HistoryPage, PastEvent } from "./outbox/change-history"
export type { OutboxOptions } from "./outbox/outbox-options"
export type { RunningRelay, StartRelayOptions } from "./event-delivery"
export type { PoisonPolicy } from "./publishing/poison-policy"
export type { CursorDeliveryStatus } from "./relay/cursor-delivery-parts"
export type { CursorStart } from "./relay/cursor-registry"
export type { RelayStatus } from "./relay/relay"
export type { RelayOptions } from "./relay/relay-options"
export { handleOnce, type HandledEvent, type InboxTransaction } from "./inbox"
export type { PublishOptions } from "./publish-event"
export type { ApprovalEvents } from "./notices/approval-events"
export type { Job, JobHook, JobOutcome, JobStatus } from "./notices/job"
export type { JobEvents, JobRun, JobWork } from "./notices/job-events"
export type { NoticeOptions, RecordOptions } from "./notices/notice"
export type { AdminEvents, FailedSignIn, SignInOptions, UserEvents } from "./notices/user-events"
export type {
  ChangeEventOf,
  CreateEventOf,
  DeleteEventOf,
  RecordContext,
  RecordOf,
  UpdateEventOf,
} from "./change-event-of"
export type { BrokerRegistration, ChangeEventsOptions, DeliveryMode } from "./options"
export { CaptureChanges, Sensitive } from "./capture/decorators"
export type {
  CaptureMethod,
  CaptureOptions,
  EntityCaptureOptions,
  EntityReference,
  RelationsOption,
  RowText,
  SensitiveMode,
  UncapturedPolicy,
} from "./capture/capture-options"
export {
  amendChangeContext,
  currentChangeContext,
  withChangeContext,
  type ChangeContext,
} from "./context/change-context"
export { ChangeEventsError, errorCodes, type ErrorCode, type ErrorDetails } from "./errors"
export type { ApplicationEvent, ChangeAction, ChangeEvent, ChangeRecord, OutgoingEvent } from "./events/change-event"
export type { Differences } from "./events/differences"
export { changeContextKinds, type ChangeContextKind, type EventContext } from "./events/event-context"
export type { EventMessage } from "./events/message"
export type { TopicPatterns } from "./events/topic-pattern"
export type { EventFormat } from "./formats/format"
export type { EventBroker, PublishResult } from "./brokers/broker"
export type { BrokerStatus } from "./publishing/broker-status"
export type { DeliveryOptions } from "./publishing/delivery-options"
export type { DirectSinkStatus, WaitOptions } from "./publishing/direct-sink"
export type { EventListener } from "./publishing/listener-recipient"
export type { BrokerOptions } from "./publishing/route"
export type { DeliveryError, DeliveryState } from "./publishing/broker-status"
export { diagnosticsChannels } from "./runtime/diagnostics"
export type {
  CommittedMessage,
  CursorMovedMessage,
  DeadLetterMessage,
  DiagnosticsMessages,
  DiagnosticsName,
  DroppedMessage,
  FailedMessage,
  ObservedEvent,
  PublishedMessage,
  RelayMessage,
  UncapturedMessage,
} from "./runtime/diagnostics-messages"
export type { Logger } from "./runtime/logger"
export { onDiagnostics } from "./runtime/on-diagnostics"
