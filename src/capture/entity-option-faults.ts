import { isObject, nameOf, oneOf, topicPart, type OptionCheck } from "../runtime/option-checks"
import { unknownKeyFaults } from "../runtime/option-faults"
import {
  captureMethods,
  closuresOptions,
  relationsOptions,
  sensitiveModes,
  type EntityCaptureOptions,
} from "./capture-options"

const checks: Readonly<Record<keyof EntityCaptureOptions, OptionCheck>> = {
  app: topicPart,
  model: topicPart,
  capture: oneOf(...captureMethods),
  ignore: (value, path) => (isTexts(value) ? [] : [`${path} must be an array of property names, got ${nameOf(value)}`]),
  enabled: oneOf(true, false),
  immutable: oneOf(true, false),
  softDelete: oneOf("delete", "update"),
  transitions: transitionsFaults,
  sensitive: sensitiveFaults,
  relations: oneOf(...relationsOptions),
  closures: oneOf(...closuresOptions),
  display: rowText,
  url: rowText,
}

/** A sentence for everything wrong with the option `entities`. */
export function entitiesFaults(value: unknown, name: string): string[] {
  if (!Array.isArray(value)) return [`${name} must be an array of entities, got ${nameOf(value)}`]
  return value.flatMap((entry, index) => entryFaults(entry, `${name}[${index}]`))
}

function entryFaults(entry: unknown, path: string): string[] {
  if (isEntity(entry)) return []
  if (!isObject(entry)) {
    return [`${path} must be an entity, or an object with \`entity\` and its options, got ${nameOf(entry)}`]
  }
  const { entity, ...options } = entry
  const faults = isEntity(entity) ? [] : [`${path}.entity must be a class, an EntitySchema or an entity's name`]
  return [...faults, ...entityOptionFaults(options, path)]
}

/** The same for the options of one entity. `path` is where they stand, such as `@CaptureChanges`. */
export function entityOptionFaults(options: unknown, path: string): string[] {
  if (!isObject(options)) return [`${path} must have an object of options, got ${nameOf(options)}`]
  const given = Object.entries(checks).filter(([name]) => options[name] !== undefined)
  return [
    ...unknownKeyFaults(options, Object.keys(checks), path),
    ...given.flatMap(([name, check]) => check(options[name], `${path}.${name}`)),
  ]
}

function rowText(value: unknown, path: string): string[] {
  return typeof value === "function" ? [] : [`${path} must be a function of the row, got ${nameOf(value)}`]
}

function sensitiveFaults(value: unknown, path: string): string[] {
  if (!isObject(value)) return [`${path} must be an object of modes by property, got ${nameOf(value)}`]
  return Object.entries(value).flatMap(([property, mode]) => oneOf(...sensitiveModes)(mode, `${path}.${property}`))
}

function transitionsFaults(value: unknown, path: string): string[] {
  if (!isObject(value)) return [`${path} must be an object of operations by property and value, got ${nameOf(value)}`]
  return Object.entries(value).flatMap(([property, operations]) => {
    const at = `${path}.${property}`
    if (!isObject(operations)) return [`${at} must be an object of operations by value, got ${nameOf(operations)}`]
    return Object.entries(operations).flatMap(([text, operation]) => operationFaults(operation, `${at}.${text}`))
  })
}

function operationFaults(value: unknown, path: string): string[] {
  if (!isObject(value)) return topicPart(value, path)
  const internal = value["internal"] === undefined ? [] : oneOf(true, false)(value["internal"], `${path}.internal`)
  return [
    ...unknownKeyFaults(value, ["operation", "internal"], path),
    ...topicPart(value["operation"], `${path}.operation`),
    ...internal,
  ]
}

function isEntity(value: unknown): boolean {
  return typeof value === "function" || typeof value === "string" || (isObject(value) && isObject(value["options"]))
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string")
}
