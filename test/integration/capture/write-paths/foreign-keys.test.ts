import { datasetKeys } from "../../../../fixtures/dataset"
import { AssignmentNote } from "../../../../fixtures/hostile/assignment-note"
import { Book } from "../../../../fixtures/hostile/book"
import { Rota } from "../../../../fixtures/hostile/rota"
import { Shelf } from "../../../../fixtures/hostile/shelf"
import { Shift } from "../../../../fixtures/hostile/shift"
import { Project } from "../../../../fixtures/identity/project"
import { RoleAssignment } from "../../../../fixtures/identity/role-assignment"
import { Device } from "../../../../fixtures/inventory/device"
import { Interface } from "../../../../fixtures/inventory/interface"
import { Site } from "../../../../fixtures/inventory/site"
import { Tag } from "../../../../fixtures/inventory/tag"
import { describeWrites, type WriteCase } from "../../../support/describe-writes"

const { users, roles } = datasetKeys

async function shelfOf(run: WriteCase, name: string, ...books: readonly string[]): Promise<string> {
  const code = run.unique(name)
  await run.manager.insert(Shelf, { code })
  for (const title of books) await run.manager.insert(Book, { title, shelf: { code } })
  return code
}

describeWrites((itTells) => {
  describe("a foreign key of the database", () => {
    itTells(
      "tells all it deletes for rows that a condition names",
      ["delete shelf", "delete shelf", "delete book", "delete book", "delete book"],
      async (run) => {
        const codes = [await shelfOf(run, "a", "one", "two"), await shelfOf(run, "b", "three")]
        await run.begin()
        await run.manager.createQueryBuilder().delete().from(Shelf).where("code IN (:...codes)", { codes }).execute()
      },
    )

    itTells("tells nothing more for a row that none points to", ["delete shelf"], async (run) => {
      const code = await shelfOf(run, "a")
      await run.begin()
      await run.manager.delete(Shelf, code)
    })

    itTells("tells nothing of a row that is not there", [], async (run) => {
      await run.begin()
      await run.manager.delete(Shelf, run.unique("none"))
    })

    itTells(
      "is followed over two tables, with a key of three columns",
      ["delete project", "delete roleassignment", "delete assignmentnote"],
      async (run) => {
        const { id } = await run.manager.save(Project, { name: run.unique("p") })
        const key = { userId: users.alice, projectId: id, roleId: roles.reader }
        await run.manager.insert(RoleAssignment, key)
        await run.manager.insert(AssignmentNote, { text: "why", assignment: key })
        await run.begin()
        await run.manager.delete(Project, id)
      },
    )

    itTells(
      "tells rows that come to point nowhere, by a column that is not a key",
      ["delete site", "update assignmentnote"],
      async (run) => {
        const slug = run.unique("site")
        const { id } = await run.manager.save(Site, { name: slug, slug })
        await run.manager.insert(AssignmentNote, { text: "where", site: { slug } })
        await run.begin()
        await run.manager.delete(Site, id)
      },
    )

    itTells(
      "tells a row once that it deletes by one key and would clear by another",
      ["delete shelf", "delete book"],
      async (run) => {
        const code = await shelfOf(run, "a")
        await run.manager.insert(Book, { title: "at home", shelf: { code }, home: { code } })
        await run.begin()
        await run.manager.delete(Shelf, code)
      },
    )

    itTells("is followed within one table", ["delete interface", "update interface"], async (run) => {
      const device = await run.manager.save(run.manager.create(Device, { name: run.unique("d") }))
      const bond = await run.manager.save(Interface, { name: "bond", deviceId: device.id })
      await run.manager.save(Interface, { name: "port", deviceId: device.id, lag: bond })
      await run.begin()
      await run.manager.delete(Interface, bond.id)
    })

    itTells("tells the owners of a row that a relation listed", ["delete tag", "update device"], async (run) => {
      const tag = await run.manager.save(Tag, { name: run.unique("t") })
      await run.manager.save(run.manager.create(Device, { name: run.unique("d"), tags: [tag] }))
      await run.begin()
      await run.manager.delete(Tag, tag.id)
    })

    itTells("tells nothing of what a savepoint took back", ["delete shelf", "delete book"], async (run) => {
      const [kept, gone] = [await shelfOf(run, "a", "one"), await shelfOf(run, "b", "two")]
      await run.begin()
      await run.manager.transaction(async (manager) => {
        await manager
          .transaction(async (inner) => {
            await inner.delete(Shelf, kept)
            throw new Error("no")
          })
          .catch(() => undefined)
        await manager.delete(Shelf, gone)
      })
    })

    itTells("tells nothing of a delete that fails", [], async (run) => {
      const code = await shelfOf(run, "a", "one")
      await run.begin()
      const work = run.manager.delete(Shelf, { code, missing: 1 } as never).catch(() => undefined)
      await work
    })
  })

  describe("a foreign key of the database whose other side's key changes", () => {
    itTells("tells the children's new key", ["update shelf", "update book", "update book"], async (run) => {
      const code = await shelfOf(run, "s", "one", "two")
      await shelfOf(run, "other", "three")
      await run.begin()
      await run.manager.update(Shelf, code, { code: run.unique("t") })
    })

    itTells(
      "tells it when the server works the key out, of several rows that a condition names",
      ["update shelf", "update shelf", "update book", "update book"],
      async (run) => {
        const codes = [await shelfOf(run, "a", "one"), await shelfOf(run, "b", "two")]
        await run.begin()
        await run.manager
          .createQueryBuilder()
          .update(Shelf)
          .set({ label: "'$1'", code: () => `code || '$2'` })
          .where("code IN (:...codes) AND label IS NULL", { codes })
          .execute()
      },
    )

    itTells("tells nothing more where the key is given what it holds", ["update shelf"], async (run) => {
      const code = await shelfOf(run, "s", "one")
      await run.begin()
      await run.manager.update(Shelf, code, { code, label: "new" })
    })

    itTells("tells nothing of an update that fails", [], async (run) => {
      const codes = [await shelfOf(run, "a", "one"), await shelfOf(run, "b")]
      await run.begin()
      await expect(run.manager.update(Shelf, codes[0], { code: codes[1] as string })).rejects.toThrow("duplicate key")
    })

    itTells(
      "tells a many-to-many list whose listed row has another key",
      ["update rota", "update shift"],
      async (run) => {
        const rota = await run.manager.save(Rota, { name: run.unique("r") })
        await run.manager.save(Shift, { place: run.unique("p"), number: "1", rotas: [rota] })
        await run.begin()
        await run.manager.update(Rota, rota.id, { id: rota.id + 1_000_000 })
      },
    )
  })
})
