import { cutDetail } from "../context/context-fields"
import { isObject, nameOf } from "../runtime/option-checks"
import { unknownKeyFaults } from "../runtime/option-faults"
import { redactedText } from "../runtime/redacted-text"
import { givenRecord } from "./given-record"
import {
  noticeOptionFaults,
  recordOptionNames,
  refuseFaults,
  type NoticeEnvironment,
  type NoticeOptions,
  type RecordOptions,
} from "./notice"

export interface SignInOptions extends RecordOptions {
  /** How the user signed in, such as `password`, `saml`, `token`. Default: not said. */
  readonly method?: string | undefined
}

export interface FailedSignIn {
  /** The name that was given, whether or not there is such a user; null when none was. Cut at 400 characters. */
  readonly userName: string | null
  /** Why: a text, or one with a code, which is sent as text. What looks like a secret in it is not sent. */
  readonly reason: string | { readonly type: string; readonly code?: string | number | null | undefined }
  readonly method?: string | undefined
}

/** The events of users, `[prefix.]users.user.…`. Each leaves at once, or with the transaction of `manager`. */
export interface UserEvents {
  /** `users.user.login`, by any method. @throws ChangeEventsError RECORD_INVALID, OPTIONS_INVALID, DATA_SOURCE_NOT_ATTACHED */
  login(user: object, options?: SignInOptions): Promise<void>
  /** `users.user.login_failed`, with `outcome` and `reason`. @throws ChangeEventsError OPTIONS_INVALID */
  loginFailed(attempt: FailedSignIn, options?: NoticeOptions): Promise<void>
  /** `users.user.logout`. @throws ChangeEventsError as `login` */
  logout(user: object, options?: RecordOptions): Promise<void>
  /** `users.user.change_password`: a user changed their own. @throws ChangeEventsError as `login` */
  changePassword(user: object, options?: RecordOptions): Promise<void>
}

export interface AdminEvents {
  /** `admin.user.change_password`: an administrator changed a user's. @throws ChangeEventsError as `users.login` */
  changePassword(user: object, options?: RecordOptions): Promise<void>
}

const SUBJECT = "users.user"

export function userEvents(environment: NoticeEnvironment): UserEvents {
  const send = (call: string, name: string) => (user: object, options?: RecordOptions) =>
    sendUser(environment, { call, name, user, options, known: recordOptionNames })
  return {
    login: (user, options) => {
      const known = [...recordOptionNames, "method"]
      return sendUser(environment, { call: "users.login()", name: "users.user.login", user, options, known })
    },
    loginFailed: (attempt, options) => sendFailure(environment, attempt, options),
    logout: send("users.logout()", "users.user.logout"),
    changePassword: send("users.changePassword()", "users.user.change_password"),
  }
}

export function adminEvents(environment: NoticeEnvironment): AdminEvents {
  const call = "admin.changePassword()"
  return {
    changePassword: (user, options) =>
      sendUser(environment, { call, name: "admin.user.change_password", user, options, known: recordOptionNames }),
  }
}

interface UserNotice {
  readonly call: string
  readonly name: string
  readonly user: unknown
  readonly options: SignInOptions | undefined
  /** Names of the options. */
  readonly known: readonly string[]
}

async function sendUser(
  environment: NoticeEnvironment,
  { call, name, user, options, known }: UserNotice,
): Promise<void> {
  refuseFaults(call, [...noticeOptionFaults(options, known), ...methodFaults(options?.method)])
  const { manager, entity, method } = options ?? {}
  const { data, key } = givenRecord(user, { subject: SUBJECT, entity, dataSource: manager?.dataSource }, environment)
  const payload = method === undefined ? { data } : { data, method }
  await environment.publish(environment.topic(name), payload, { manager, key })
}

async function sendFailure(
  environment: NoticeEnvironment,
  attempt: FailedSignIn,
  options: NoticeOptions | undefined,
): Promise<void> {
  refuseFaults("users.loginFailed()", [...attemptFaults(attempt), ...noticeOptionFaults(options, ["manager"])])
  const { userName, reason, method } = attempt
  const user = userName === null ? null : cutDetail(userName)
  const payload = { data: { user_name: user }, outcome: "failure", reason: reasonOf(reason), method: method ?? null }
  const key = user === null ? SUBJECT : `${SUBJECT}:${user}`
  await environment.publish(environment.topic("users.user.login_failed"), payload, { ...options, key })
}

function reasonOf(reason: FailedSignIn["reason"]): { readonly type: string; readonly code: string | null } {
  if (typeof reason === "string") return { type: redactedText(reason), code: null }
  return {
    type: redactedText(reason.type),
    code: reason.code === undefined || reason.code === null ? null : String(reason.code),
  }
}

function attemptFaults(attempt: unknown): string[] {
  if (!isObject(attempt)) return [`the attempt must be an object, got ${nameOf(attempt)}`]
  const { userName, reason, method } = attempt
  const type = isObject(reason) ? reason["type"] : reason
  const code = isObject(reason) ? (reason["code"] ?? "") : ""
  return [
    ...unknownKeyFaults(attempt, ["userName", "reason", "method"]),
    ...(isObject(reason) ? unknownKeyFaults(reason, ["type", "code"], "reason") : []),
    ...(userName === null || typeof userName === "string"
      ? []
      : [`\`userName\` must be a text or null, got ${nameOf(userName)}`]),
    ...(typeof type === "string" && type !== "" ? [] : ["`reason` must be a text, or an object with a `type`"]),
    ...(typeof code === "string" || typeof code === "number"
      ? []
      : [`\`reason.code\` must be a text, got ${nameOf(code)}`]),
    ...methodFaults(method),
  ]
}

function methodFaults(method: unknown): string[] {
  const isMethod = method === undefined || (typeof method === "string" && method !== "")
  return isMethod ? [] : [`\`method\` must be a text, such as \`saml\`, got ${nameOf(method)}`]
}
