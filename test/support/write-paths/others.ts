import { DeferredUnique } from "../../../fixtures/hostile/deferred-unique"
import { withClient } from "../with-client"
import { withTag } from "./arranged-rows"
import type { PathRun, Work, WritePath } from "./write-path"
import { TagView } from "./tag-view"

const byHand =
  (...texts: readonly ((run: PathRun) => string)[]): Work =>
  async (run) => {
    for (const text of texts) await run.manager.query(text(run))
  }

const elsewhere =
  (...texts: readonly ((run: PathRun) => string)[]): Work =>
  async (run) => {
    await withClient(run.url, async (client) => {
      for (const text of texts) await client.query(text(run))
    })
  }

const insertTag = ({ text }: PathRun): string => `INSERT INTO extras.tag (name) VALUES ('${text} raw')`
const updateTag = ({ text }: PathRun): string => `UPDATE extras.tag SET color = '0000ff' WHERE name = '${text} raw'`
const deleteTag = ({ text }: PathRun): string => `DELETE FROM extras.tag WHERE name = '${text} raw'`
const listTag = ({ text }: PathRun): string =>
  `INSERT INTO dcim.device_tag SELECT 3, id FROM extras.tag WHERE name = '${text} raw'`
const copyTag = ({ text }: PathRun): string =>
  `COPY extras.tag (name) FROM PROGRAM 'printf "${text} copied\\n"' WITH (FORMAT csv)`
const mergeTag = ({ text }: PathRun): string =>
  `MERGE INTO extras.tag USING (VALUES ('${text} merged')) AS given (name) ON tag.name = given.name
   WHEN NOT MATCHED THEN INSERT (name) VALUES (given.name)`

export const others: readonly WritePath[] = [
  { name: "raw INSERT, UPDATE, DELETE", orm: "detected", run: byHand(insertTag, updateTag, deleteTag) },
  { name: "raw SQL on a many-to-many table", orm: "detected", run: byHand(insertTag, listTag) },
  { name: "raw MERGE", orm: "detected", run: byHand(mergeTag) },
  { name: "raw COPY", orm: "detected", run: byHand(copyTag) },
  {
    name: "a WITH that writes within a SELECT",
    orm: "detected",
    run: byHand((run) => `WITH w AS (${insertTag(run)} RETURNING 1) SELECT * FROM w`),
  },
  {
    name: "clear()",
    run: async ({ manager, number, begin }) => {
      await manager.insert(DeferredUnique, { rank: number })
      await begin()
      await manager.clear(DeferredUnique)
    },
  },
  {
    name: "raw TRUNCATE",
    orm: "detected",
    run: async ({ manager, number, begin }) => {
      await manager.insert(DeferredUnique, { rank: number })
      await begin()
      await manager.query("TRUNCATE hostile.deferred_unique")
    },
  },
  {
    name: "an updatable view",
    orm: "detected",
    run: withTag(({ manager }, { id }) => manager.update(TagView, { id }, { color: "00ff00" })),
  },
  { name: "another program", orm: "unseen", run: elsewhere(insertTag, listTag, updateTag, deleteTag, copyTag) },
  {
    name: "another program's TRUNCATE",
    orm: "unseen",
    run: async (run) => {
      await run.manager.insert(DeferredUnique, { rank: run.number })
      await run.begin()
      await elsewhere(() => "TRUNCATE hostile.deferred_unique")(run)
    },
  },
]
