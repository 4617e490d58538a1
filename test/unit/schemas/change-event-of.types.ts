import type { Group } from "../../../fixtures/identity/group"
import type { Project } from "../../../fixtures/identity/project"
import type { RoleAssignment } from "../../../fixtures/identity/role-assignment"
import type { Trust } from "../../../fixtures/identity/trust"
import type { Device, DeviceStatus } from "../../../fixtures/inventory/device"
import type { Interface } from "../../../fixtures/inventory/interface"
import type { ScheduledJob } from "../../../fixtures/inventory/scheduled-job"
import type { Site, SiteStatus } from "../../../fixtures/inventory/site"
import type { User } from "../../../fixtures/inventory/user"
import type { ChangeEventOf, RecordOf } from "../../../src"

// Compiled, never run: each line is an assertion about types.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

type Flat<T> = { -readonly [Name in keyof T]: T[Name] }

function expectTrue<_Assertion extends true>(): void {}

/** A relation is the key of its row; lists of rows are not in the record. */
expectTrue<
  Equal<
    Flat<RecordOf<Device>>,
    {
      id: number
      name: string
      serial: string | null
      status: DeviceStatus
      position: number | null
      price: string | null
      meta: Record<string, unknown>
      comments: string | null
      site: number | null
      primaryAddress: string | null
      createdAt: string
      updatedAt: string
      version: number
    }
  >
>()

/** Embedded entities nest, lists of texts stay. */
expectTrue<
  Equal<Flat<RecordOf<Site>["address"]>, { street: string | null; city: string | null; country: string | null }>
>()
expectTrue<Equal<RecordOf<Site>["contacts"], readonly string[] | null>>()
expectTrue<Equal<RecordOf<Site>["status"], SiteStatus>>()

/** A relation stands under the property that holds its key, where there is one; a key may point to the entity itself. */
expectTrue<
  Equal<keyof RecordOf<Interface>, "id" | "name" | "enabled" | "mtu" | "macAddress" | "speed" | "deviceId" | "lag">
>()
expectTrue<Equal<RecordOf<Interface>["lag"], number | null>>()
expectTrue<Equal<keyof RecordOf<RoleAssignment>, "userId" | "projectId" | "roleId" | "inherited" | "createdAt">>()
expectTrue<Equal<RecordOf<Project>["parent"], string | null>>()
expectTrue<Equal<keyof RecordOf<Group>, "id" | "name" | "description">>()

/** A lazy relation is what it promises. */
expectTrue<Equal<RecordOf<ScheduledJob>["user"], string | null>>()

/** What only decorators know is said by hand. */
expectTrue<
  Equal<
    keyof RecordOf<User, { password: never; apiToken: never }>,
    "id" | "username" | "email" | "isActive" | "preferences" | "lastLogin" | "dateJoined"
  >
>()
expectTrue<
  Equal<keyof RecordOf<Trust, { trustor: never; trustee: never }> & `trust${string}`, `trust${"or" | "ee"}UserId`>
>()
expectTrue<Equal<RecordOf<User, { password: "***" }>["password"], "***">>()

class Samples {
  bigint!: bigint | null
  bytes!: Buffer
  date!: Date | null
  optional?: string
  unknown!: unknown
  document!: { readonly at: Date; readonly lines: { readonly amount: bigint }[] }
  money!: { readonly cents: number; toJSON(): string }
  flags!: ("a" | "b")[]
  #hidden = 0

  describe(): number {
    return this.#hidden
  }
}

expectTrue<
  Equal<
    Flat<RecordOf<Samples>>,
    {
      bigint: string | null
      bytes: string
      date: string | null
      optional: string | null
      unknown: unknown
      document: { readonly at: string; readonly lines: readonly { readonly amount: string }[] }
      money: string
      flags: readonly ("a" | "b")[]
    }
  >
>()

/** The images tell the action. */
export function described(event: ChangeEventOf<Device>): string {
  if (event.prechange === null) {
    expectTrue<Equal<typeof event.differences.removed, null>>()
    return event.postchange.name
  }
  if (event.postchange === null) return event.differences.removed.name
  expectTrue<Equal<typeof event.differences.added.site, number | null | undefined>>()
  // @ts-expect-error -- an update need not have changed it
  void event.differences.added.name.length
  // @ts-expect-error -- a list of rows is not in the record
  void event.postchange.tags
  // @ts-expect-error -- a record cannot be changed
  event.postchange.name = ""
  return `${event.postchange.name} ${event.context.user_name ?? ""}`
}
