import { EntitySchema, type ObjectLiteral } from "typeorm"

/** An updatable view of tags. */
export const TagView = new EntitySchema<ObjectLiteral>({
  name: "TagView",
  type: "view",
  schema: "extras",
  tableName: "tag_view",
  expression: "SELECT id, name, color FROM extras.tag",
  columns: { id: { type: "uuid", primary: true }, name: { type: "text" }, color: { type: "text" } },
})
