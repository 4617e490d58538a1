import { Router, type Request } from "express"
import type { DataSource } from "typeorm"
import { Device } from "../../fixtures/inventory/device"
import { IPAddress } from "../../fixtures/inventory/ip-address"
import { Interface } from "../../fixtures/inventory/interface"
import { Refusal } from "./refusal"

/** Plain TypeORM, as any service has it: nothing here knows that its changes are told. */
export function inventoryRoutes(dataSource: DataSource): Router {
  const router = Router()
  const devices = dataSource.getRepository(Device)
  const interfaces = dataSource.getRepository(Interface)
  const addresses = dataSource.getRepository(IPAddress)

  router.get("/devices", async (_request, response) => {
    response.json(await devices.find({ order: { id: "ASC" } }))
  })

  router.post("/devices", async (request, response) => {
    const { name, serial, status, siteId } = request.body as NewDevice
    const device = devices.create({ name, serial, status, site: siteId === undefined ? null : { id: siteId } })
    response.status(201).json(await devices.save(device))
  })

  router.patch("/devices/:id", async (request, response) => {
    const device = await devices.findOneByOrFail({ id: idOf(request) }).catch(notFound)
    response.json(await devices.save(Object.assign(device, request.body)))
  })

  router.post("/sites/:id/stage", async (request, response) => {
    const result = await devices.update({ site: { id: idOf(request) }, status: "planned" }, { status: "staged" })
    response.json({ staged: result.affected })
  })

  router.post("/devices/:id/retire", async (request, response) => {
    await dataSource.transaction(async (manager) => {
      const id = idOf(request)
      await manager.update(Device, id, { status: "retired" })
      await manager.update(Interface, { deviceId: id }, { enabled: false })
      const inUse = await manager.countBy(IPAddress, { interface: { deviceId: id } })
      if (inUse > 0) throw new Refusal(409, `the device still has ${inUse} address in use`)
    })
    response.status(204).end()
  })

  router.patch("/interfaces/:id", async (request, response) => {
    const { mtu, enabled } = request.body as Partial<Interface>
    await interfaces.update(idOf(request), { mtu, enabled })
    response.status(204).end()
  })

  router.delete("/devices/:id", async (request, response) => {
    await devices.remove(await devices.findOneByOrFail({ id: idOf(request) }).catch(notFound))
    response.status(204).end()
  })

  router.delete("/addresses/:id", async (request, response) => {
    await addresses.softDelete(request.params.id)
    response.status(204).end()
  })

  return router
}

interface NewDevice extends Pick<Device, "name" | "serial" | "status"> {
  readonly siteId?: number
}

function idOf(request: Request): number {
  const id = Number(request.params["id"])
  if (!Number.isInteger(id)) throw new Refusal(400, "the id must be a whole number")
  return id
}

function notFound(): never {
  throw new Refusal(404, "there is none")
}
