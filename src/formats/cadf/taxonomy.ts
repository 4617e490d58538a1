export const EVENT_TYPE_URI = "http://schemas.dmtf.org/cloud/audit/1.0/event"
export const ACCOUNT_USER = "service/security/account/user"
export const SECURITY_SERVICE = "service/security"

const UNKNOWN = "unknown"

/** What Keystone's resource types are among CADF's resources. */
const TYPE_URIS: Readonly<Record<string, string>> = {
  group: "data/security/group",
  project: "data/security/project",
  role: "data/security/role",
  domain: "data/security/domain",
  region: "data/security/region",
  endpoint: "data/security/endpoint",
  service: "data/security/service",
  policy: "data/security/policy",
  user: "data/security/account/user",
  trust: "data/security/trust",
  "OS-TRUST:trust": "data/security/trust",
  application_credential: "data/security/credential",
  "OS-OAUTH1:access_token": "data/security/credential",
  "OS-OAUTH1:request_token": "data/security/credential",
  "OS-OAUTH1:consumer": "data/security/account",
  role_assignment: ACCOUNT_USER,
}

/** The URI of a resource type: one of `own`, else Keystone's, else `unknown`. */
export function typeUri(resourceType: string, own: Readonly<Record<string, string>> = {}): string {
  if (Object.hasOwn(own, resourceType)) return own[resourceType] as string
  return (Object.hasOwn(TYPE_URIS, resourceType) && TYPE_URIS[resourceType]) || UNKNOWN
}

/** Verbs of CADF's taxonomy of actions that a transition may be named by, in Keystone's past tense. */
const VERBS =
  /^(create|update|delete|enable|disable|configure|start|stop|deploy|undeploy|renew|revoke|restore|allow|den)/

/** `created.project`. An action must begin with a verb of the taxonomy: any other operation is an update of its kind. */
export function actionOf(operation: string, resourceType: string): string {
  return VERBS.test(operation) ? `${operation}.${resourceType}` : `update/${operation}.${resourceType}`
}
