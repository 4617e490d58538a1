import { changedName, changedSchema, changeSchema, recordName } from "./change-schema"
import { contextSchema, headersSchema } from "./context-schema"
import type { DescribedEntity } from "./described-entity"
import type { DescribedNotice } from "./described-notices"
import { closedObject, reference, type JsonSchema } from "./json-schema"

export interface AsyncApiInfo {
  readonly title: string
  /** Of the described interface, not of this package. */
  readonly version: string
}

type Named<Value> = Readonly<Record<string, Value>>

/** A document of AsyncAPI 3. */
export interface AsyncApiDocument {
  readonly asyncapi: "3.0.0"
  readonly info: AsyncApiInfo & { readonly description: string }
  readonly defaultContentType: string
  readonly channels: Named<{ readonly address: string; readonly messages: Named<JsonSchema> }>
  readonly operations: Named<JsonSchema>
  readonly components: { readonly messages: Named<JsonSchema>; readonly schemas: Named<JsonSchema> }
}

/** One message of one channel; its name is among the document's components. */
type SentMessage = DescribedNotice

/** A channel for each topic, with the message that is sent there and its JSON Schema. The same input gives the same document. */
export function asyncApiDocument(
  entities: readonly DescribedEntity[],
  info: AsyncApiInfo,
  notices: readonly DescribedNotice[] = [],
): AsyncApiDocument {
  const names = componentNames(entities)
  const messages = [...entities.flatMap((entity, index) => sentMessages(entity, names[index] as string)), ...notices]
  return {
    asyncapi: "3.0.0",
    info: { ...info, description: "Every committed change of a row, as an event in the format `record`." },
    defaultContentType: "application/json",
    channels: channels(messages),
    operations: operations(messages),
    components: {
      messages: Object.fromEntries(messages.map((message) => [message.name, messageObject(message)])),
      schemas: {
        context: contextSchema,
        headers: headersSchema,
        ...Object.assign({}, ...entities.map((entity, index) => entitySchemas(entity, names[index] as string))),
      },
    },
  }
}

/** `dcim.device`; names of components have no other characters than these, and two entities may share app and model. */
function componentNames(entities: readonly DescribedEntity[]): string[] {
  const taken = new Map<string, number>()
  return entities.map(({ app, model }) => {
    const name = `${app}.${model}`.replace(/[^\w.-]/g, (character) => `-x${character.codePointAt(0)?.toString(16)}`)
    const count = (taken.get(name) ?? 0) + 1
    taken.set(name, count)
    return count === 1 ? name : `${name}-${count}`
  })
}

const titles = { create: "created", update: "updated", delete: "deleted" } as const

function sentMessages({ name, topics }: DescribedEntity, entity: string): SentMessage[] {
  return topics.map((topic) => ({
    topic: topic.topic,
    payload: changeSchema(topic.action, entity),
    name: `${topic.transition ?? topic.action}.${entity}`.replace(/[^\w.-]/g, "-"),
    title: `${name} ${topic.transition ?? titles[topic.action]}`,
  }))
}

function channels(messages: readonly SentMessage[]): AsyncApiDocument["channels"] {
  return Object.fromEntries(
    topicsOf(messages).map((topic) => [
      topic,
      {
        address: topic,
        messages: Object.fromEntries(
          sentTo(topic, messages).map(({ name }) => [name, reference("components", "messages", name)]),
        ),
      },
    ]),
  )
}

function operations(messages: readonly SentMessage[]): AsyncApiDocument["operations"] {
  return Object.fromEntries(
    topicsOf(messages).map((topic) => [
      `send.${topic}`,
      {
        action: "send",
        channel: reference("channels", topic),
        messages: sentTo(topic, messages).map(({ name }) => reference("channels", topic, "messages", name)),
      },
    ]),
  )
}

function topicsOf(messages: readonly SentMessage[]): string[] {
  return [...new Set(messages.map(({ topic }) => topic))]
}

function sentTo(topic: string, messages: readonly SentMessage[]): SentMessage[] {
  return messages.filter((message) => message.topic === topic)
}

function messageObject({ name, title, payload }: SentMessage): JsonSchema {
  return {
    name,
    title,
    contentType: "application/json",
    headers: reference("components", "schemas", "headers"),
    payload,
  }
}

function entitySchemas({ name, properties, possible }: DescribedEntity, entity: string): Named<JsonSchema> {
  return {
    [recordName(entity)]: { title: name, ...closedObject(properties), properties: possible },
    [changedName(entity)]: { title: `${name}: what differs`, ...changedSchema(entity, Object.keys(possible)) },
  }
}
