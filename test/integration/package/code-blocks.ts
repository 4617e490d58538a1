import { readFileSync } from "node:fs"
import { resolve } from "node:path"

/** A text of the repository, by its path there. */
export function repositoryText(path: string): string {
  return readFileSync(resolve(__dirname, "../../..", path), "utf8")
}

/** What stands between the fences of the section's code blocks, in their order. */
export function readmeBlocks(section: string): string[] {
  const text = repositoryText("README.md")
    .split(/^## /m)
    .find((part) => part.startsWith(`${section}\n`))
  if (text === undefined) throw new Error(`README.md has no section ${section}`)
  return codeBlocks(text)
}

/** The code blocks in that language, or all of them. */
export function codeBlocks(text: string, language = "\\w*"): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map((match) => match[1] as string)
}
