import { quote } from "./image-sql"
import type { TrackedEntity } from "./tracked-entity"

/** Stands for a number in a text. */
const N = "#"

/**
 * What matches the texts by which TypeORM 1.1 shifts other rows of a nested set, as its NestedSetSubjectExecutor makes them: for a new node,
 * one that moves (right or left), and one that is removed. Undefined where a shift would be seen in a record: TypeORM gives an entity the
 * two columns as hidden ones of its own, and cannot insert a row of one that declares them, too, unless it is said not to write them.
 */
export function shiftPattern({ metadata, tableName, columns }: TrackedEntity): RegExp | undefined {
  const { nestedSetLeftColumn, nestedSetRightColumn } = metadata
  if (!nestedSetLeftColumn || !nestedSetRightColumn) return undefined
  const names = [nestedSetLeftColumn.databaseName, nestedSetRightColumn.databaseName]
  if (columns.some(({ databaseName }) => names.includes(databaseName))) return undefined
  const [left, right] = names.map(quote) as [string, string]
  const texts = [ofNewNode(left, right), ofMoveRight(left, right), ofMoveLeft(left, right), ofRemovedNode(left, right)]
  return new RegExp(`^(?:${texts.map((text) => patternOf(`UPDATE ${tableName} SET ${text}`)).join("|")})$`)
}

function patternOf(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(N, String.raw`-?\d+`)
}

function ofNewNode(left: string, right: string): string {
  return `${left} = CASE WHEN ${left} > ${N} THEN ${left} + 2 ELSE ${left} END,${right} = ${right} + 2 WHERE ${right} >= ${N}`
}

function ofMoveRight(left: string, right: string): string {
  return (
    `${left} = CASE WHEN ${left} > ${N} AND ${left} <= ${N} THEN ${left} - ${N} ${movedLeft(left)}ELSE ${left} END, ` +
    `${right} = CASE WHEN ${right} > ${N} AND ${right} < ${N} THEN ${right} - ${N} ${movedRight(right)}ELSE ${right} END`
  )
}

function ofMoveLeft(left: string, right: string): string {
  return (
    `${left} = CASE WHEN ${left} < ${N} AND ${left} > ${N} THEN ${left} + ${N} ${movedLeft(left)}ELSE ${left} END, ` +
    `${right} = CASE WHEN ${right} < ${N} AND ${right} >= ${N} THEN ${right} + ${N} ${movedRight(right)}ELSE ${right} END`
  )
}

function movedLeft(left: string): string {
  return `WHEN ${left} >= ${N} AND ${left} < ${N} THEN ${left} + ${N} `
}

function movedRight(right: string): string {
  return `WHEN ${right} > ${N} AND ${right} <= ${N} THEN ${right} + ${N} `
}

function ofRemovedNode(left: string, right: string): string {
  return (
    `${left} = CASE WHEN ${left} > ${N} THEN ${left} - ${N} ELSE ${left} END, ` +
    `${right} = CASE WHEN ${right} > ${N} THEN ${right} - ${N} ELSE ${right} END`
  )
}
