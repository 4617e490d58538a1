interface Created {
  readonly id: string
}

/** A client of the service. */
export interface IdentityClient {
  create(resource: string, body: object): Promise<string>
  /** The answer's status. */
  send(method: string, path: string, body?: object): Promise<number>
}

export function identityClient(url: string, user: string): IdentityClient {
  const request = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${url}${path}`, {
      method,
      headers: { "content-type": "application/json", "x-user": user },
      body: body ? JSON.stringify(body) : null,
    })
  return {
    create: async (resource, body) => {
      const response = await request("POST", `/${resource}`, body)
      if (response.status !== 201) throw new Error(`${resource}: ${response.status} ${await response.text()}`)
      return ((await response.json()) as Created).id
    },
    send: async (method, path, body) => {
      const response = await request(method, path, body)
      await response.arrayBuffer()
      return response.status
    },
  }
}

/** A day in the life of a small cloud. Gives the keys of its projects by name. */
export async function liveADay({ create, send }: IdentityClient): Promise<ReadonlyMap<string, string>> {
  const [alice, bob, carol] = await createAll("users", ["alice", "bob", "carol"], "username")
  const [admin, reader] = await createAll("roles", ["admin", "reader"], "name")
  const [platform, billing, attic] = await createAll("projects", ["platform", "billing", "attic"], "name")
  const operators = await create("groups", { name: "operators" })
  const grant = (project: string, user: string, role: string): Promise<number> =>
    send("PUT", `/projects/${project}/users/${user}/roles/${role}`)

  await send("PUT", `/groups/${operators}/users/${alice}`)
  for (const user of [alice, bob, carol]) await grant(platform, user, reader)
  await grant(platform, alice, admin)
  await grant(billing, alice, admin)
  await grant(billing, bob, reader)
  await grant(attic, carol, reader)
  const trust = { trustorUserId: alice, trusteeUserId: bob, impersonation: true, project: { id: platform } }
  const trusted = await create("trusts", trust)

  await send("PUT", `/projects/${billing}/users/${bob}/roles/${operators}`) // no such role: refused, and nobody hears of it
  await send("DELETE", `/projects/${platform}/users/${bob}/roles/${reader}`)
  await send("PATCH", `/projects/${billing}`, { enabled: false })
  await send("DELETE", `/trusts/${trusted}`)
  await send("DELETE", `/users/${carol}`)
  await send("DELETE", `/projects/${attic}`)
  return new Map([
    [platform, "platform"],
    [billing, "billing"],
  ])

  async function createAll(resource: string, names: readonly string[], property: string): Promise<Keys> {
    const keys: string[] = []
    for (const name of names) keys.push(await create(resource, { [property]: name }))
    return keys as unknown as Keys
  }
}

type Keys = readonly [string, string, string]
