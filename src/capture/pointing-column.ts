import type { ColumnMetadata, ImageColumn } from "./image-column"

/** A table's column that points to a row's key, shown as that row's own entity shows it: what is kept out of its events is not let out here. */
export function pointingColumn(
  metadata: ColumnMetadata,
  images: readonly ImageColumn[],
  path: readonly string[],
): ImageColumn {
  const referenced = metadata.referencedColumn as ColumnMetadata
  const image = images.find(({ databaseName }) => databaseName === referenced.databaseName)
  const isShown = image !== undefined && image.path.length > 0
  return {
    metadata,
    hydratedAs: image?.hydratedAs ?? referenced,
    databaseName: metadata.databaseName,
    path,
    sensitive: isShown ? image.sensitive : "mask",
    countsAsDifference: true,
  }
}
