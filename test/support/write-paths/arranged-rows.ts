import type { EntityManager } from "typeorm"
import { datasetKeys } from "../../../fixtures/dataset"
import { Device } from "../../../fixtures/inventory/device"
import { Interface } from "../../../fixtures/inventory/interface"
import { IPAddress } from "../../../fixtures/inventory/ip-address"
import { Tag } from "../../../fixtures/inventory/tag"
import type { PathRun, Work } from "./write-path"

export const { core, lab } = datasetKeys.tags
export const tagBuilder = (manager: EntityManager) => manager.createQueryBuilder()
export const tagsOf = (manager: EntityManager, id: number) => tagBuilder(manager).relation(Device, "tags").of(id)

export const withTag =
  (work: (run: PathRun, tag: Tag) => Promise<unknown>): Work =>
  async (run) => {
    const { id } = await run.manager.save(Tag, { name: `${run.text} tag` })
    await run.begin()
    return work(run, await run.manager.findOneByOrFail(Tag, { id }))
  }

export const withDevice =
  (work: (run: PathRun, device: Device) => Promise<unknown>): Work =>
  async (run) => {
    const interfaces = ["e0", "e1"].map((name) => run.manager.create(Interface, { name }))
    const tags = [{ id: core }]
    const { id } = await run.manager.save(run.manager.create(Device, { name: run.text, interfaces, tags }))
    await run.begin()
    const relations = { interfaces: true, tags: true }
    return work(run, await run.manager.findOneOrFail(Device, { where: { id }, relations }))
  }

export const withAddress =
  (work: (run: PathRun, address: IPAddress) => Promise<unknown>): Work =>
  async (run) => {
    const address = run.manager.create(IPAddress, { address: `10.77.${run.number}.1` })
    const saved = await run.manager.save(address)
    await run.begin()
    return work(run, saved)
  }
