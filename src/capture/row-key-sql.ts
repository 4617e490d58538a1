import type { EntityVariant, TrackedEntity } from "./tracked-entity"

/**
 * `<app>.<model>:<primary key>`, as the events themselves have it, in SQL. `part` gives the text of a key's column by its position,
 * `discriminator` is the SQL of the column that tells an entity of a table with inheritance.
 */
export function rowKeySql(entity: TrackedEntity, part: (index: number) => string, discriminator: string): string {
  const parts = entity.primary.map(part)
  const plain = `concat(${placeSql(entity, discriminator)}, ':', concat_ws(',', ${parts.join(", ")}))`
  const escaped = `substr(to_json(${plain})::text, 2, length(to_json(${plain})::text) - 2)`
  return `CASE WHEN ${plain} ~ '[\\x01-\\x1f]' THEN ${escaped} ELSE ${plain} END`
}

function placeSql({ variants, discriminator }: TrackedEntity, value: string): string {
  const place = ({ app, model }: EntityVariant): string => literal(`${app}.${model}`)
  const [first, ...others] = [...variants]
  if (discriminator < 0 || others.length === 0) return place(first?.[1] as EntityVariant)
  const cases = [...variants].map(([name, variant]) => `WHEN ${literal(name)} THEN ${place(variant)}`)
  return `CASE concat(${value}) ${cases.join(" ")} ELSE ${place(first?.[1] as EntityVariant)} END`
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
