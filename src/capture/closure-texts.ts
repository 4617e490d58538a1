import type { EntityMetadata } from "typeorm"
import { quote } from "./image-sql"
import type { TrackedEntity } from "./tracked-entity"

/**
 * The texts by which TypeORM 1.1 writes closure rows without a builder, as its ClosureSubjectExecutor makes them: the ancestors of a new
 * node, and those of nodes that moved. Whatever differs by a character is none of them, and stays a raw write.
 */
export function closureTexts({ metadata, tableName }: TrackedEntity): readonly string[] {
  const ancestors = namesOf(metadata, "ancestor")
  const descendants = namesOf(metadata, "descendant")
  const into = `INSERT INTO ${tableName} (${[...ancestors, ...descendants].join(", ")}) `
  return [
    `${into}${ofNewNode(tableName, ancestors, descendants)}`,
    `${into}${ofMoved(tableName, ancestors, descendants)}`,
  ]
}

type Names = readonly string[]

function ofNewNode(tableName: string, ancestors: Names, descendants: Names): string {
  const keys = descendants.map((_, index) => `$${index + 1}`)
  const isParent = descendants.map((name, index) => `${name} = $${keys.length + index + 1}`)
  return `SELECT ${ancestors.join(", ")}, ${keys.join(", ")} FROM ${tableName} WHERE ${isParent.join(" AND ")}`
}

function ofMoved(tableName: string, ancestors: Names, descendants: Names): string {
  const select = [...ancestors.map((name) => `"supertree".${name}`), ...descendants.map((name) => `"subtree".${name}`)]
  const isNode = ancestors.map((name, index) => `"subtree".${name} = $${index + 1}`)
  const isParent = descendants.map((name, index) => `"supertree".${name} = $${ancestors.length + index + 1}`)
  return (
    `SELECT ${select.join(", ")} FROM ${tableName} AS "supertree", ${tableName} AS "subtree" ` +
    `WHERE ${[...isNode, ...isParent].join(" AND ")}`
  )
}

function namesOf({ columns }: EntityMetadata, type: "ancestor" | "descendant"): Names {
  return columns.filter(({ closureType }) => closureType === type).map(({ databaseName }) => quote(databaseName))
}
