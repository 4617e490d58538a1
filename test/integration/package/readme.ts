import { readFileSync } from "node:fs"
import { resolve } from "node:path"

/** What stands between the fences of the section's code blocks, in their order. */
export function readmeBlocks(section: string): string[] {
  const readme = readFileSync(resolve(__dirname, "../../../README.md"), "utf8")
  const text = readme.split(/^## /m).find((part) => part.startsWith(`${section}\n`))
  if (text === undefined) throw new Error(`README.md has no section ${section}`)
  return [...text.matchAll(/^```\w*\n(.*?)^```$/gms)].map((match) => match[1] as string)
}
