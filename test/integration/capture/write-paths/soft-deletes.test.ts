import { datasetKeys } from "../../../../fixtures/dataset"
import { Project } from "../../../../fixtures/identity/project"
import { Trust } from "../../../../fixtures/identity/trust"
import { GeneratedTypes } from "../../../../fixtures/hostile/column-types/generated-types"
import { IPAddress } from "../../../../fixtures/inventory/ip-address"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"

const address = ({ uniqueNumber }: WriteCase): string => `10.${(uniqueNumber() >> 8) & 255}.${uniqueNumber() & 255}.1`

async function newAddress(run: WriteCase): Promise<IPAddress> {
  const saved = await run.manager.save(
    run.manager.create(IPAddress, { address: address(run), dnsName: run.unique("host") }),
  )
  await run.begin()
  return saved
}

async function removedAddress(run: WriteCase): Promise<IPAddress> {
  const { id } = await newAddress(run)
  await run.manager.softDelete(IPAddress, id)
  await run.begin()
  return run.manager.findOneOrFail(IPAddress, { where: { id }, withDeleted: true })
}

describeWrites((itTells) => {
  describe("a soft-delete", () => {
    itTells("by softRemove() is told as a delete", ["delete ipaddress"], async (run) => {
      await run.manager.softRemove(await newAddress(run))
    })

    itTells("by softRemove() of a loaded entity is told as a delete", ["delete ipaddress"], async (run) => {
      const { id } = await newAddress(run)
      await run.manager.softRemove(await run.manager.findOneByOrFail(IPAddress, { id }))
    })

    itTells(
      "by softRemove() of an object of nothing but its key is told as a delete",
      ["delete ipaddress"],
      async (run) => {
        const { id } = await newAddress(run)
        await run.manager.softRemove(IPAddress, { id })
      },
    )

    itTells("by softRemove() without listeners is told as a delete", ["delete ipaddress"], async (run) => {
      await run.manager.softRemove(await newAddress(run), { listeners: false })
    })

    itTells("by softDelete() of a key is told as a delete", ["delete ipaddress"], async (run) => {
      const { id } = await newAddress(run)
      await run.manager.softDelete(IPAddress, id)
    })

    itTells("by softDelete() of criteria is told as a delete", ["delete ipaddress"], async (run) => {
      const { dnsName } = await newAddress(run)
      await run.manager.softDelete(IPAddress, { dnsName })
    })

    itTells("by a query builder is told as a delete", ["delete ipaddress"], async (run) => {
      const { dnsName } = await newAddress(run)
      await run.manager
        .createQueryBuilder()
        .softDelete()
        .from(IPAddress)
        .where("dns_name = :dnsName", { dnsName })
        .callListeners(false)
        .execute()
    })

    itTells(
      "of a row with version and update date is told as a delete",
      ["create generatedtypes", "delete generatedtypes"],
      async ({ manager }) => {
        await manager.softRemove(await manager.save(manager.create(GeneratedTypes, {})))
      },
    )

    itTells("of nothing tells nothing", [], ({ manager }) => manager.softDelete(IPAddress, { dnsName: "nowhere" }))
  })

  describe("a soft-delete of what is soft-deleted already", () => {
    itTells("by softRemove() tells nothing", [], async (run) => {
      await run.manager.softRemove(await removedAddress(run))
    })

    itTells("by softDelete() tells nothing", [], async (run) => {
      const { id } = await removedAddress(run)
      await run.manager.softDelete(IPAddress, id)
    })
  })

  describe("a restore", () => {
    itTells("by recover() is told as a create", ["create ipaddress"], async (run) => {
      await run.manager.recover(await removedAddress(run))
    })

    itTells("by restore() of a key is told as a create", ["create ipaddress"], async (run) => {
      const { id } = await removedAddress(run)
      await run.manager.restore(IPAddress, id)
    })

    itTells("by restore() of criteria is told as a create", ["create ipaddress"], async (run) => {
      const { dnsName } = await removedAddress(run)
      await run.manager.restore(IPAddress, { dnsName })
    })

    itTells("by a query builder is told as a create", ["create ipaddress"], async (run) => {
      const { dnsName } = await removedAddress(run)
      await run.manager.createQueryBuilder().restore().from(IPAddress).where({ dnsName }).execute()
    })

    itTells("by save() is told as a create", ["create ipaddress"], async (run) => {
      const { id } = await removedAddress(run)
      await run.manager.save(IPAddress, { id, deletedAt: null })
    })

    itTells("of what is not soft-deleted tells nothing", [], async (run) => {
      const saved = await newAddress(run)
      await run.manager.recover(saved)
      await run.manager.restore(IPAddress, saved.id)
    })
  })

  describe("a soft-deleted row", () => {
    itTells("that changes is told as an update", ["update ipaddress"], async (run) => {
      const { id } = await removedAddress(run)
      await run.manager.update(IPAddress, id, { dnsName: run.unique("late") })
    })

    itTells("that is deleted for good is told as a delete", ["delete ipaddress"], async (run) => {
      const { id } = await removedAddress(run)
      await run.manager.delete(IPAddress, id)
    })

    itTells("that was inserted as one is told as a create", ["create ipaddress"], (run) =>
      run.manager.insert(IPAddress, { address: address(run), deletedAt: new Date("2026-01-01T00:00:00Z") }),
    )

    itTells("that an upsert brings back is told as a create", ["create ipaddress"], async (run) => {
      const removed = await removedAddress(run)
      await run.manager.upsert(IPAddress, { address: removed.address, dnsName: "back", deletedAt: null }, ["address"])
    })
  })

  describe("a cascade", () => {
    itTells(
      "of softRemove() and recover() tells parent and children",
      ["delete project", "delete project", "create project", "create project"],
      async ({ manager, unique, begin }) => {
        const project = await manager.save(
          manager.create(Project, { name: unique("p"), children: [{ name: unique("c") }] }),
        )
        await begin()
        await manager.softRemove(project)
        await manager.recover(project)
      },
    )
  })

  describe("an immutable entity", () => {
    itTells("tells its soft-delete with its foreign keys", ["create trust", "delete trust"], async ({ manager }) => {
      const { users, projects } = datasetKeys
      const trust = await manager.save(Trust, {
        trustorUserId: users.alice,
        trusteeUserId: users.carol,
        project: { id: projects.platform },
        expiresAt: new Date("2027-01-01T00:00:00Z"),
      })
      await manager.softDelete(Trust, trust.id)
    })
  })
})
