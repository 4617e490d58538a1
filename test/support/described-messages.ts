import Ajv, { type ValidateFunction } from "ajv"
import addFormats from "ajv-formats"
import type { DataSource } from "typeorm"
import { asyncApiDocument, type AsyncApiDocument } from "../../src/schemas/async-api"
import { captureOptionsOf } from "../../src/schemas/describe-data-source"
import { describedNotices } from "../../src/schemas/described-notices"
import { describedEntities } from "../../src/schemas/described-entity"

/** The document of a DataSource that has a subscriber. */
export function describeDataSource(dataSource: DataSource): AsyncApiDocument {
  const options = captureOptionsOf(dataSource)
  if (options === undefined) throw new Error("the DataSource has no subscriber")
  const entities = describedEntities(dataSource, options)
  return asyncApiDocument(entities, { title: "Test", version: "1.0.0" }, describedNotices(options.topicPrefix))
}

/** What the document objects to in a message's body; empty when there is nothing. */
export type BodyFaults = (topic: string, body: unknown) => readonly string[]

export function bodyFaults(document: AsyncApiDocument): BodyFaults {
  const ajv = new Ajv({ strict: false, allErrors: true })
  addFormats(ajv)
  ajv.addSchema(document, "document")
  const validators = new Map<string, ValidateFunction>()

  function validatorOf(topic: string): ValidateFunction | undefined {
    const [name] = Object.keys(document.channels[topic]?.messages ?? {})
    if (name === undefined) return undefined
    const known = validators.get(name) ?? ajv.compile({ $ref: `document#/components/messages/${name}/payload` })
    validators.set(name, known)
    return known
  }

  return (topic, body) => {
    const validate = validatorOf(topic)
    if (!validate) return [`${topic} is not described`]
    return validate(body)
      ? []
      : (validate.errors ?? []).map((error) => `${topic}${error.instancePath} ${error.message}`)
  }
}
