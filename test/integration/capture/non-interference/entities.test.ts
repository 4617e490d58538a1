import { datasetKeys } from "../../../../fixtures/dataset"
import { AssignmentNote } from "../../../../fixtures/hostile/assignment-note"
import { ClosureNode } from "../../../../fixtures/hostile/closure-node"
import { GeneratedTypes } from "../../../../fixtures/hostile/column-types/generated-types"
import { NestedNode } from "../../../../fixtures/hostile/nested-node"
import { OddNames } from "../../../../fixtures/hostile/odd-names"
import { PathNode } from "../../../../fixtures/hostile/path-node"
import { QuotedTable } from "../../../../fixtures/hostile/quoted-table"
import { Shipment } from "../../../../fixtures/hostile/shipment"
import { Ticket } from "../../../../fixtures/hostile/ticket"
import { TidiedName } from "../../../../fixtures/hostile/tidied-name"
import { Project } from "../../../../fixtures/identity/project"
import { RegionEntity } from "../../../../fixtures/identity/region"
import { Device } from "../../../../fixtures/inventory/device"
import { Interface } from "../../../../fixtures/inventory/interface"
import { IPAddress } from "../../../../fixtures/inventory/ip-address"
import { JobHook } from "../../../../fixtures/inventory/job-hook"
import { ScheduledJob } from "../../../../fixtures/inventory/scheduled-job"
import { Site } from "../../../../fixtures/inventory/site"
import { Tag } from "../../../../fixtures/inventory/tag"
import { User } from "../../../../fixtures/inventory/user"
import { describeTwins } from "../../../support/describe-twins"

const { users, projects, roles, sites, tags, devices } = datasetKeys

describeTwins((itDoesTheSame) => {
  describe("with and without capture, the same comes of save()", () => {
    itDoesTheSame("of a new entity", async ({ manager, unique }) => {
      const device = manager.create(Device, { name: unique("rt"), site: { id: sites.berlin } })
      const saved = await manager.save(device)
      return [saved === device, device]
    })

    itDoesTheSame("of a plain object", async ({ manager, unique }) => {
      const plain = { name: unique("rt"), price: 1.25 as never }
      return [await manager.save(Device, plain), plain]
    })

    itDoesTheSame("of a partial object, changes and nothing", async ({ manager, unique }) => {
      const { id } = await manager.save(Device, { name: unique("rt"), comments: "c" })
      const partial = await manager.save(Device, { id, position: 4 })
      const loaded = await manager.findOneByOrFail(Device, { id })
      return [partial, loaded, await manager.save(loaded)]
    })

    itDoesTheSame("without reload, listeners or transaction", async ({ manager, unique }) => [
      await manager.save(Tag, { name: unique("a") }, { reload: false }),
      await manager.save(Tag, { name: unique("b") }, { listeners: false }),
      await manager.save(Tag, { name: unique("c") }, { transaction: false }),
    ])

    itDoesTheSame("of an array in chunks", ({ manager, unique }) =>
      manager.save(
        Tag,
        ["a", "b", "c"].map((each) => ({ name: unique(each) })),
        { chunk: 2 },
      ),
    )

    itDoesTheSame("of SQL expressions", async ({ manager, unique }) => {
      const device = await manager.save(Device, { name: unique("rt"), comments: (() => "upper('a')") as never })
      return [device, await manager.save(Device, { id: device.id, name: (() => `"name" || '!'`) as never })]
    })

    itDoesTheSame("of generated, hidden and transformed columns", async ({ manager, unique }) => {
      const row = await manager.save(manager.create(GeneratedTypes, { quantity: 2 }))
      const user = await manager.save(manager.create(User, { username: unique("u"), password: "p", email: "A@B.C" }))
      row.quantity = 3
      return [await manager.save(row), user, await manager.save(Ticket, { key: `T-${row.id}`, title: "t" })]
    })

    itDoesTheSame("of embedded entities", async ({ manager, unique }) => {
      const site = await manager.save(Site, { name: "x", slug: unique("x"), address: { city: "Köln" } })
      const shipment = await manager.save(manager.create(Shipment, { from: { site: { id: site.id } }, to: {} }))
      return [site, shipment]
    })

    itDoesTheSame("of odd names", async ({ manager, unique }) => {
      const row = await manager.save(
        manager.create(OddNames, { select: "s", mixedCase: unique("m"), quote: "q", old: "o" }),
      )
      row.apostrophe = "it's $1"
      return [await manager.save(row), await manager.save(QuotedTable, { value: "v" })]
    })

    itDoesTheSame("of a row that a trigger changes, or drops", async ({ manager }) => [
      await manager.save(TidiedName, { name: "  padded " }),
      await manager.save(TidiedName, { name: "ignore me" }),
    ])

    itDoesTheSame("of an entity without a class", ({ manager, unique }) =>
      manager.getRepository(RegionEntity).save({ id: unique("r"), parent: { id: "eu" } as never }),
    )

    itDoesTheSame("of an inheritance and a lazy relation", async ({ manager, unique }) => {
      const job = manager.create(ScheduledJob, { name: unique("job"), keywordArguments: { a: 1 } })
      job.user = Promise.resolve(await manager.findOneByOrFail(User, { id: users.alice }))
      return [await manager.save(job), await manager.save(JobHook, { name: unique("hook"), contentTypes: ["a"] })]
    })

    itDoesTheSame("of foreign keys", async ({ manager }) => {
      const assignment = { userId: users.alice, projectId: projects.platform, roleId: roles.admin }
      const note = manager.create(AssignmentNote, { text: "t", assignment, site: { id: sites.berlin, slug: "ber1" } })
      await manager.save(note)
      note.assignment = null
      return manager.save(note)
    })
  })

  describe("with and without capture, the same comes of a cascade", () => {
    itDoesTheSame("that inserts, updates and orphans", async ({ manager, unique }) => {
      const slug = unique("s")
      const site = await manager.save(
        manager.create(Site, { name: slug, slug, devices: [{ name: "a" }, { name: "b" }] }),
      )
      site.devices = [Object.assign(site.devices[1] as Device, { position: 3 })]
      return manager.save(site)
    })

    itDoesTheSame("that deletes and soft-deletes orphans", async ({ manager, unique, run }) => {
      const device = manager.create(Device, { name: unique("rt"), interfaces: [{ name: "e0" }, { name: "e1" }] })
      await manager.save(device)
      const id = device.interfaces[0]?.id as number
      const addresses = [{ address: `10.9.${run}.1` }]
      const kept = await manager.save(Interface, { id, addresses })
      const orphaned = await manager.save(Interface, { id, addresses: [] as IPAddress[] })
      device.interfaces = device.interfaces.slice(0, 1)
      return [kept, orphaned, await manager.save(device)]
    })

    itDoesTheSame("that soft-removes and recovers", async ({ manager, unique }) => {
      const name = unique("p")
      const project = await manager.save(manager.create(Project, { name, children: [{ name: `${name}/c` }] }))
      return [await manager.softRemove(project), await manager.recover(project)]
    })
  })

  describe("with and without capture, the same comes of a many-to-many relation", () => {
    itDoesTheSame("that is saved", async ({ manager, unique }) => {
      const device = manager.create(Device, { name: unique("rt"), tags: [{ id: tags.core }, { name: unique("t") }] })
      await manager.save(device)
      device.tags = device.tags.slice(1)
      return [await manager.save(device), await manager.remove(device)]
    })

    itDoesTheSame("that its builder changes", async ({ manager }) => {
      const relation = () => manager.createQueryBuilder().relation(Device, "tags").of(devices.spare)
      return [await relation().add(tags.lab), await relation().remove(tags.lab)]
    })

    itDoesTheSame("that its builder cannot change", ({ manager }) =>
      manager.createQueryBuilder().relation(Device, "tags").of(devices.router).add(tags.lab),
    )

    itDoesTheSame("that is written by the name of its table", async ({ manager }) => {
      const row = { deviceId: devices.spare, tagId: tags.core }
      const insert = () => manager.createQueryBuilder().insert().into("device_tag").values(row)
      const results = [
        await insert().execute(),
        await insert().orIgnore().execute(),
        await insert().orIgnore().execute(),
      ]
      const remove = manager.createQueryBuilder().delete().from("device_tag").where(`"tagId" = :tagId`, row)
      return [results, await remove.returning("*").execute()]
    })
  })

  describe("with and without capture, the same comes of the relation builder", () => {
    itDoesTheSame("on a one-to-many and a many-to-one", async ({ manager }) => {
      const many = () => manager.createQueryBuilder().relation(Site, "devices").of(sites.lisbon)
      const one = () => manager.createQueryBuilder().relation(Device, "site").of(devices.spare)
      return [
        await many().add(devices.spare),
        await many().remove(devices.spare),
        await one().set(1),
        await one().set(null),
      ]
    })
  })

  describe("with and without capture, the same comes of a tree", () => {
    for (const target of [PathNode, ClosureNode, NestedNode]) {
      itDoesTheSame(`kept as ${target.name}`, async ({ manager, unique, run }) => {
        const repository = manager.getTreeRepository<PathNode | ClosureNode | NestedNode>(target)
        // A nested set has one root only.
        if (target === NestedNode && run > 0) return repository.findRoots()
        const root = await repository.save(repository.create({ name: unique("root") }))
        const child = await repository.save(repository.create({ name: unique("child"), parent: root }))
        const leaf = await repository.save(repository.create({ name: unique("leaf"), parent: child }))
        leaf.parent = root
        await repository.save(leaf)
        return [
          await repository.findDescendants(root),
          await repository.remove(leaf),
          await repository.countDescendants(root),
        ]
      })
    }
  })

  describe("with and without capture, the same comes of a removal", () => {
    itDoesTheSame("by remove()", async ({ manager, unique }) => {
      const device = await manager.save(manager.create(Device, { name: unique("rt") }))
      const { id } = await manager.save(Tag, { name: unique("t") })
      const missing = { id: users.carol } as Tag
      return [await manager.remove(device), device, await manager.remove(Tag, [{ id } as Tag, missing])]
    })

    itDoesTheSame("by softRemove() and recover()", async ({ manager, run }) => {
      const address = await manager.save(manager.create(IPAddress, { address: `10.8.${run}.1` }))
      const removed = [await manager.softRemove(address), await manager.softRemove(address)]
      return [removed, await manager.recover(address), await manager.recover(address)]
    })
  })
})
