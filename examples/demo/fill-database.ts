import { dataSource } from "../../ormconfig"
import { loadDataset } from "../../fixtures/dataset"

/** Makes the tables and loads a few sites, devices and addresses. Nobody listens yet: this makes no events. */
export async function fillDatabase(url: string): Promise<void> {
  dataSource.setOptions({ url })
  await dataSource.initialize()
  await dataSource.runMigrations()
  await loadDataset(dataSource.manager)
  await dataSource.destroy()
}
