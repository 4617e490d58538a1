import type { DataSource } from "typeorm"
import type { ValueParser } from "./image-column"

/** The driver's parsers, which TypeORM keeps on its driver. */
interface DriverTypes {
  readonly postgres: { readonly types: { getTypeParser(oid: number, format: "text"): ValueParser } }
}

/** How the driver reads a text of this type. */
export function textParser({ driver }: DataSource, oid: number): ValueParser {
  return (driver as unknown as DriverTypes).postgres.types.getTypeParser(oid, "text")
}
