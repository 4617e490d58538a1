import { datasetKeys } from "../../../../fixtures/dataset"
import { AssignmentNote } from "../../../../fixtures/hostile/assignment-note"
import { Device } from "../../../../fixtures/inventory/device"
import { Interface } from "../../../../fixtures/inventory/interface"
import { IPAddress } from "../../../../fixtures/inventory/ip-address"
import { Site } from "../../../../fixtures/inventory/site"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"

const { sites, users, projects, roles } = datasetKeys

async function newSite({ manager, unique }: WriteCase, ...devices: readonly string[]): Promise<Site> {
  const slug = unique("site")
  return manager.save(manager.create(Site, { name: slug, slug, devices: devices.map((name) => ({ name })) }))
}

async function newDevice({ manager, unique }: WriteCase, ...interfaces: readonly string[]): Promise<Device> {
  const name = unique("rt")
  return manager.save(manager.create(Device, { name, interfaces: interfaces.map((each) => ({ name: each })) }))
}

const freeAddress = ({ uniqueNumber }: WriteCase, last: number): string => `10.${uniqueNumber()}.0.${last}`

describeWrites((itTells) => {
  describe("a cascade", () => {
    itTells(
      "of save() tells parent and children, with the children's foreign key",
      ["create site", "create device", "create device"],
      (run) => newSite(run, "rt1", "rt2"),
    )

    itTells("of save() tells three levels", ["create interface", "create ipaddress"], async (run) => {
      const device = await newDevice(run)
      await run.begin()
      const addresses = [{ address: freeAddress(run, 1) }]
      const each = run.manager.create(Interface, { name: "e0", deviceId: device.id, addresses })
      await run.manager.save(each)
    })

    itTells("of save() tells a child that changed", ["update device"], async (run) => {
      const site = await newSite(run, "rt1", "rt2")
      await run.begin()
      Object.assign(site.devices[1] as Device, { status: "active" })
      await run.manager.save(site)
    })

    itTells("of remove() tells what TypeORM removes", ["delete device", "delete site"], async (run) => {
      const site = await newSite(run, "rt1")
      await run.begin()
      await run.manager.remove([...site.devices, site])
    })
  })

  describe("the children of a parent that is saved", () => {
    itTells("are told with their new foreign key", ["create device", "update device"], async (run) => {
      const site = await newSite(run)
      const [known] = await run.manager.save(Device, [{ name: run.unique("known") }])
      await run.begin()
      site.devices = [known as Device, run.manager.create(Device, { name: run.unique("new") })]
      await run.manager.save(site)
    })

    itTells("are told when the parent lets go of them", ["update device"], async (run) => {
      const site = await newSite(run, "rt1", "rt2")
      await run.begin()
      site.devices = site.devices.slice(1)
      await run.manager.save(site)
    })

    itTells("are told when they are deleted as orphans", ["delete interface"], async (run) => {
      const device = await newDevice(run, "e0", "e1")
      await run.begin()
      device.interfaces = device.interfaces.slice(1)
      await run.manager.save(device)
    })

    itTells("are told as deleted when they are soft-deleted as orphans", ["delete ipaddress"], async (run) => {
      const device = await newDevice(run, "e0")
      const each = device.interfaces[0] as Interface
      const addresses = [1, 2].map((last) => ({ address: freeAddress(run, last) }))
      const saved = await run.manager.save(Interface, { id: each.id, addresses })
      await run.begin()
      await run.manager.save(Interface, { id: each.id, addresses: [saved.addresses[0] as IPAddress] })
    })
  })

  describe("the relation builder", () => {
    itTells(
      "tells the child of a one-to-many that was added and removed",
      ["update device", "update device"],
      async (run) => {
        const [site, device] = [await newSite(run), await newDevice(run)]
        await run.begin()
        const relation = () => run.manager.createQueryBuilder().relation(Site, "devices").of(site)
        await relation().add(device)
        await relation().remove(device)
      },
    )

    itTells("tells every child of a one-to-many", ["update device", "update device"], async (run) => {
      const [site, first, second] = [await newSite(run), await newDevice(run), await newDevice(run)]
      await run.begin()
      await run.manager.createQueryBuilder().relation(Site, "devices").of(site.id).add([first.id, second.id])
    })

    itTells(
      "tells the owner of a many-to-one that was set and cleared",
      ["update device", "update device"],
      async (run) => {
        const device = await newDevice(run)
        await run.begin()
        const relation = () => run.manager.createQueryBuilder().relation(Device, "site").of(device.id)
        await relation().set(sites.berlin)
        await relation().set(null)
      },
    )
  })

  describe("a foreign key", () => {
    itTells(
      "of several columns is told as an object, and as null when it points nowhere",
      ["create assignmentnote", "update assignmentnote", "delete assignmentnote"],
      async ({ manager, unique }) => {
        const assignment = { userId: users.alice, projectId: projects.platform, roleId: roles.admin }
        const note = await manager.save(AssignmentNote, { text: unique("note"), assignment })
        await manager.update(AssignmentNote, note.id, { assignment: null })
        await manager.delete(AssignmentNote, note.id)
      },
    )

    itTells(
      "to another column than the key is told as that column's value",
      ["create assignmentnote", "update assignmentnote", "update assignmentnote"],
      async ({ manager, unique }) => {
        const note = await manager.save(AssignmentNote, {
          text: unique("note"),
          site: { id: sites.berlin, slug: "ber1" },
        })
        await manager.save(AssignmentNote, { id: note.id, site: { id: sites.lisbon, slug: "lis2" } })
        await manager.createQueryBuilder().relation(AssignmentNote, "site").of(note.id).set(null)
      },
    )

    itTells(
      "with a property of its own is told under that property",
      ["create interface", "update interface"],
      async (run) => {
        const [first, second] = [await newDevice(run), await newDevice(run)]
        await run.begin()
        const each = await run.manager.save(Interface, { name: "e0", device: { id: first.id } })
        await run.manager.save(Interface, { id: each.id, device: { id: second.id } })
      },
    )

    itTells(
      "of a one-to-one is told as the key it points to",
      ["create ipaddress", "update device", "update device"],
      async (run) => {
        const device = await newDevice(run)
        await run.begin()
        const address = await run.manager.save(IPAddress, { address: freeAddress(run, 9) })
        await run.manager.save(Device, { id: device.id, primaryAddress: address })
        await run.manager.update(Device, device.id, { primaryAddress: null })
      },
    )
  })
})
