import { kinds } from "./kinds-of-entity"
import { others } from "./others"
import { relations } from "./relations"
import { saves } from "./saves"
import { statements } from "./statements"
import { undone } from "./undone"
import type { WritePath } from "./write-path"

/** Every way to write that we know of, by what is done with it. */
export const writePaths: readonly WritePath[] = [...saves, ...statements, ...relations, ...kinds, ...others, ...undone]
