import { datasetKeys } from "../../../../fixtures/dataset"
import { GeneratedTypes } from "../../../../fixtures/hostile/column-types/generated-types"
import { TransformedTypes } from "../../../../fixtures/hostile/column-types/transformed-types"
import { OddNames } from "../../../../fixtures/hostile/odd-names"
import { QuotedTable } from "../../../../fixtures/hostile/quoted-table"
import { Shipment } from "../../../../fixtures/hostile/shipment"
import { Ticket } from "../../../../fixtures/hostile/ticket"
import { WithoutSchema } from "../../../../fixtures/hostile/without-schema"
import { type Region, RegionEntity } from "../../../../fixtures/identity/region"
import { Interface } from "../../../../fixtures/inventory/interface"
import { Site } from "../../../../fixtures/inventory/site"
import { User } from "../../../../fixtures/inventory/user"
import { describeWrites } from "../../../support/describe-writes"

const { sites, devices } = datasetKeys

describeWrites((itTells) => {
  describe("an entity", () => {
    itTells("with an embedded one", ["create site"], ({ manager, unique }) =>
      manager.save(Site, {
        name: "x",
        slug: unique("x"),
        address: { city: "Köln", country: "DE" },
        contacts: ["a", "b"],
      }),
    )

    itTells("with embedded ones that embed and point", ["create shipment", "update shipment"], async ({ manager }) => {
      const shipment = await manager.save(Shipment, {
        from: { at: new Date("2026-01-01T00:00:00Z"), address: { city: "Köln" }, site: { id: sites.berlin } },
        to: { address: { country: "PT" } },
      })
      await manager.save(Shipment, { id: shipment.id, to: { site: { id: sites.lisbon } }, from: { site: null } })
    })

    itTells(
      "without a class",
      ["create region", "update region", "delete region"],
      async ({ manager, unique, version }) => {
        const id = unique(`region-${version}`)
        const repository = manager.getRepository<Region>(RegionEntity)
        const region = await repository.save({ id, parent: { id: datasetKeys.regions.europe } as Region })
        await repository.update(id, { description: "colder", parent: null })
        await repository.remove(region)
      },
    )

    itTells(
      "with transformers on columns and key",
      ["create ticket", "update ticket", "create user", "create transformedtypes"],
      async ({ manager, uniqueNumber, unique }) => {
        const key = `T-${uniqueNumber()}`
        await manager.insert(Ticket, { key, title: "open" })
        await manager.update(Ticket, key, { title: "closed" })
        await manager.insert(User, { username: unique("u"), email: "LOUD@EXAMPLE.ORG" })
        await manager.insert(TransformedTypes, { lossless: 1.25, bigint: 5n, chained: "AbC" })
      },
    )

    itTells(
      "with columns that the database makes",
      ["create generatedtypes", "update generatedtypes", "delete generatedtypes"],
      async ({ manager }) => {
        const row = await manager.save(GeneratedTypes, { quantity: 3, price: "2.50" })
        await manager.update(GeneratedTypes, row.id, { quantity: 4 })
        await manager.delete(GeneratedTypes, row.id)
      },
    )

    itTells(
      "with names that SQL must quote",
      ["create oddnames", "update oddnames", "update oddnames", "delete oddnames"],
      async ({ manager, unique }) => {
        const text = unique("it's $1")
        const row = await manager.save(OddNames, { select: text, mixedCase: "m", quote: "q", dollar: "$2", old: "o" })
        await manager.update(OddNames, { select: text }, { old: "older", new: "newer", apostrophe: "a'b" })
        await manager.update(OddNames, row.id, { größe: "10", new: "newest" })
        await manager.delete(OddNames, { new: "newest" })
      },
    )

    itTells(
      "in a table with quotes in its name",
      ["create quotedtable", "update quotedtable", "delete quotedtable"],
      async ({ manager }) => {
        const row = await manager.save(QuotedTable, { value: "v" })
        await manager.update(QuotedTable, { value: "v" }, { value: "w" })
        await manager.delete(QuotedTable, row.id)
      },
    )

    itTells(
      "in no schema of its own",
      ["create withoutschema", "update withoutschema", "delete withoutschema"],
      async ({ manager, unique }) => {
        const value = unique("v")
        await manager.insert(WithoutSchema, { value })
        await manager.update(WithoutSchema, { value }, { value: `${value}!` })
        await manager.delete(WithoutSchema, { value: `${value}!` })
      },
    )

    itTells(
      "that points to another of its kind",
      ["create interface", "update interface"],
      async ({ manager, unique }) => {
        const { id } = await manager.save(Interface, { name: unique("e"), deviceId: devices.switch, speed: 10 })
        await manager.update(Interface, id, { lag: { id: datasetKeys.interfaces.bond } })
      },
    )
  })
})
