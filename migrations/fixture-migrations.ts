import type { MigrationInterface } from "typeorm"
import { CreateInventory1767225600000 } from "./1767225600000-create-inventory"
import { CreateIdentity1767225660000 } from "./1767225660000-create-identity"

/** What makes the tables of the fixture domain, oldest first. */
export const fixtureMigrations: readonly (new () => MigrationInterface)[] = [
  CreateInventory1767225600000,
  CreateIdentity1767225660000,
]
