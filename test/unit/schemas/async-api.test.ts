import asyncApiSchema from "@asyncapi/specs/schemas/3.0.0-without-$id.json"
import Ajv from "ajv"
import addFormats from "ajv-formats"
import { Column, DataSource, type DataSourceOptions, Entity, EntitySchema, PrimaryColumn } from "typeorm"
import { fixtureOptions } from "../../../fixtures/fixture-options"
import { ClosureNode } from "../../../fixtures/hostile/closure-node"
import { Trust } from "../../../fixtures/identity/trust"
import { Device } from "../../../fixtures/inventory/device"
import { changeEvents, type ChangeEventsOptions } from "../../../src"
import { asyncApiDocument, type AsyncApiDocument } from "../../../src/schemas/async-api"
import { buildMetadata, captureOptionsOf } from "../../../src/schemas/describe-data-source"
import { describedEntities } from "../../../src/schemas/described-entity"
import type { JsonSchema } from "../../../src/schemas/json-schema"

const info = { title: "Inventory", version: "2.1.0" }

/** Of a DataSource that never connects. */
async function document(
  options: ChangeEventsOptions = {},
  entities: DataSourceOptions["entities"] = fixtureOptions.entities,
): Promise<AsyncApiDocument> {
  const dataSource = new DataSource({ ...fixtureOptions, entities, subscribers: [changeEvents(options).subscriber] })
  await buildMetadata(dataSource)
  return asyncApiDocument(describedEntities(dataSource, captureOptionsOf(dataSource) ?? {}), info)
}

function properties(described: AsyncApiDocument, schema: string): Readonly<Record<string, JsonSchema>> {
  return described.components.schemas[schema]?.["properties"] as Readonly<Record<string, JsonSchema>>
}

describe("an AsyncAPI document", () => {
  it("is valid by the schema of AsyncAPI 3", async () => {
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
    addFormats(ajv)
    const validate = ajv.compile(asyncApiSchema)

    validate(JSON.parse(JSON.stringify(await document({ topicPrefix: "inventory" }))))

    expect(validate.errors ?? []).toEqual([])
    expect(validate({ asyncapi: "3.0.0" })).toBe(false)
  })

  it("has references that all lead somewhere", async () => {
    const described = await document()
    const references = [...JSON.stringify(described).matchAll(/"\$ref":"#\/([^"]*)"/g)].map(
      (match) => match[1] as string,
    )

    const lost = references.filter((pointer) => {
      const keys = pointer.split("/").map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"))
      return keys.reduce<unknown>((at, key) => (at as JsonSchema | undefined)?.[key], described) === undefined
    })

    expect(references.length).toBeGreaterThan(300)
    expect(lost).toEqual([])
  })

  it("has a channel and an operation for each topic, with the options of the attached changeEvents()", async () => {
    const { channels, operations } = await document({ topicPrefix: "svc", app: "net", entities: [Device] })

    const topics = ["svc.create.net.device", "svc.update.net.device", "svc.delete.net.device"]
    expect(Object.keys(channels)).toEqual(topics)
    expect(Object.keys(operations)).toEqual(topics.map((topic) => `send.${topic}`))
  })

  it("describes a tree's closure rows, which are made and removed, and never changed", async () => {
    const described = await document({ app: "net" }, [ClosureNode])

    expect(Object.keys(described.channels).filter((topic) => topic.endsWith("closure"))).toEqual([
      "create.net.closure_node_closure",
      "delete.net.closure_node_closure",
    ])
    expect(properties(described, "record.net.closure_node_closure")).toEqual({
      id_ancestor: { type: "integer" },
      id_descendant: { type: "integer" },
    })
    expect(Object.keys((await document({ closures: "off" }, [ClosureNode])).channels)).toHaveLength(3)
  })

  it("is the same each time", async () => {
    expect(JSON.stringify(await document())).toBe(JSON.stringify(await document()))
  })

  it("describes a row as its record shows it", async () => {
    const device = properties(await document(), "record.dcim.device")

    expect(device["id"]).toEqual({ type: "integer" })
    expect(device["status"]).toEqual({ enum: ["planned", "staged", "active", "failed", "retired"] })
    expect(device["price"]).toEqual({ type: ["string", "null"], pattern: expect.any(String) as string })
    expect(device["site"]).toEqual({ type: ["integer", "null"] })
    expect(device["createdAt"]).toEqual({ type: "string", format: "date-time" })
    expect(device["meta"]).toEqual({})
    expect(device["tags"]).toEqual({ type: "array", items: { type: "string", format: "uuid" } })
  })

  it("nests embedded entities", async () => {
    const site = properties(await document(), "record.dcim.site")

    expect(site["address"]).toMatchObject({
      type: "object",
      properties: { city: { type: ["string", "null"] } },
      required: ["street", "city", "country"],
    })
  })

  it("leaves out what is secret, and says of a masked or hashed column what it shows", async () => {
    const entities = [{ entity: "User", sensitive: { email: "mask", username: "hash" } }] as const
    const user = properties(
      await document({ entities, sensitiveHashKey: "at least sixteen characters" }),
      "record.users.user",
    )

    expect(Object.keys(user)).not.toContain("password")
    expect(Object.keys(user)).not.toContain("apiToken")
    expect(user["email"]).toEqual({ type: ["string", "null"], enum: ["***", null] })
    expect(user["username"]).toMatchObject({ type: "string", pattern: "^[0-9a-f]{64}$" })
  })

  it("says of a hashed column that triggers capture that it shows a mask", async () => {
    const entities = [{ entity: "User", sensitive: { username: "hash" }, capture: "triggers" }] as const
    const user = properties(
      await document({ entities, delivery: "outbox", sensitiveHashKey: "at least sixteen characters" }),
      "record.users.user",
    )

    expect(user["username"]).toEqual({ type: "string", enum: ["***"] })
  })

  it("gives each kind of a shared table its own topics and attributes", async () => {
    const described = await document({ app: "extras" })

    expect(Object.keys(properties(described, "record.extras.jobhook"))).toEqual([
      "id",
      "name",
      "enabled",
      "contentTypes",
    ])
    expect(Object.keys(properties(described, "record.extras.scheduledjob"))).toContain("crontab")
    expect(described.components.schemas["record.extras.scheduledjob"]?.["title"]).toBe("ScheduledJob")
  })

  it("knows no update of what is immutable, and names transitions", async () => {
    const transitions = { enabled: { false: "disabled" } }
    const entities = [
      { entity: Trust, immutable: true },
      { entity: "Project", transitions },
    ]

    expect(Object.keys((await document({ entities })).channels)).toEqual([
      "create.identity.project",
      "update.identity.project",
      "delete.identity.project",
      "disabled.identity.project",
      "create.identity.trust",
      // Of its roles: the row is immutable, what it lists is not.
      "update.identity.trust",
      "delete.identity.trust",
    ])
  })

  it("keeps entities apart that share a topic", async () => {
    const Old = new EntitySchema<object>({ name: "Old", columns: { old: { type: "int", primary: true } } } as never)
    const New = new EntitySchema<object>({ name: "New", columns: { new: { type: "int", primary: true } } } as never)
    const options: ChangeEventsOptions = { entities: [Old, New].map((entity) => ({ entity, model: "thing" })) }

    const described = await document(options, [Old, New] as never)

    expect(Object.keys(described.channels["create.app.thing"]?.messages ?? {})).toEqual([
      "create.app.thing",
      "create.app.thing-2",
    ])
    expect(Object.keys(properties(described, "record.app.thing-2"))).toEqual(["new"])
  })

  it("takes names that JSON pointers and components cannot hold as they are", async () => {
    @Entity()
    class Odd {
      @PrimaryColumn({ type: "int" })
      id!: number

      @Column({ type: "text", comment: "With a slash" })
      "a/b~c"!: string
    }

    const described = await document({ app: "größe" }, [Odd] as never)
    const { properties: changed } = described.components.schemas["changed.gr-xf6-xdfe.odd"] as {
      properties: JsonSchema
    }

    expect(changed["a/b~c"]).toEqual({ $ref: "#/components/schemas/record.gr-xf6-xdfe.odd/properties/a~1b~0c" })
    expect(properties(described, "record.gr-xf6-xdfe.odd")["a/b~c"]).toEqual({
      type: "string",
      description: "With a slash",
    })
  })
})

it("says which entity TypeORM objects to", async () => {
  @Entity()
  class Keyless {
    @Column({ type: "int" })
    count!: number
  }
  const dataSource = new DataSource({ ...fixtureOptions, entities: [Keyless] })

  await expect(buildMetadata(dataSource)).rejects.toMatchObject({
    code: "DATA_SOURCE_NOT_LOADED",
    message: expect.stringContaining("Keyless") as string,
  })
})

it("knows no options of a DataSource without our subscriber", async () => {
  const dataSource = new DataSource(fixtureOptions)
  await buildMetadata(dataSource)

  expect(captureOptionsOf(dataSource)).toBeUndefined()
})

it("refuses a DataSource that cannot be captured", async () => {
  const logged: string[] = []
  const logger = { warn: (line: string) => void logged.push(line), error: (line: string) => void logged.push(line) }
  const subscribers = [changeEvents({ logger }).subscriber, changeEvents({ logger }).subscriber]
  const dataSource = new DataSource({ ...fixtureOptions, subscribers })
  await buildMetadata(dataSource)

  expect(() => captureOptionsOf(dataSource)).toThrow(expect.objectContaining({ code: "CAPTURE_FAILED" }))
  expect(logged.join()).toContain("DATA_SOURCE_TAKEN")
})
