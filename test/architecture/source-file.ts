import { readdirSync, readFileSync } from "node:fs"
import { join, posix, relative } from "node:path"
import ts from "typescript"

/** One module of `src`, as far as the plan of the house is concerned. */
export interface SourceFile {
  /** Below `src`, with slashes: `events/topic.ts`. */
  readonly path: string
  readonly lineCount: number
  readonly imports: readonly Import[]
  readonly exportsEverythingOf: readonly string[]
}

export interface Import {
  /** A path below `src` for the house's own modules, else a package's name without what is below it. */
  readonly target: string
  readonly isOwn: boolean
  /** Whether nothing of it is left when the program runs. */
  readonly isTypeOnly: boolean
}

export function readSourceFiles(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => parseSourceFile(relative(folder, path).replaceAll("\\", "/"), readFileSync(path, "utf8")))
}

export function parseSourceFile(path: string, text: string): SourceFile {
  const parsed = ts.createSourceFile(path, text, ts.ScriptTarget.Latest)
  const imports: Import[] = []
  const exportsEverythingOf: string[] = []
  const visit = (node: ts.Node): void => {
    const found = importOf(node)
    if (found) imports.push(resolved(path, found.specifier, found.isTypeOnly))
    if (found && ts.isExportDeclaration(node) && !isNamed(node)) exportsEverythingOf.push(found.specifier)
    ts.forEachChild(node, visit)
  }
  visit(parsed)
  return { path, lineCount: text.trimEnd().split("\n").length, imports, exportsEverythingOf }
}

interface FoundImport {
  readonly specifier: string
  readonly isTypeOnly: boolean
}

function importOf(node: ts.Node): FoundImport | undefined {
  if (ts.isImportDeclaration(node)) return found(node.moduleSpecifier, isErased(node.importClause))
  if (ts.isExportDeclaration(node)) return found(node.moduleSpecifier, node.isTypeOnly)
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return found(node.argument.literal, true)
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
    return found(node.moduleReference.expression, node.isTypeOnly)
  }
  return ts.isCallExpression(node) && isModuleCall(node.expression) ? found(node.arguments[0], false) : undefined
}

/** `import("x")`, `require("x")`, `require.resolve("x")`. */
function isModuleCall(called: ts.Expression): boolean {
  const root = ts.isPropertyAccessExpression(called) ? called.expression : called
  return root.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(root) && root.text === "require")
}

function found(specifier: ts.Node | undefined, isTypeOnly: boolean): FoundImport | undefined {
  return specifier && ts.isStringLiteralLike(specifier) ? { specifier: specifier.text, isTypeOnly } : undefined
}

function isErased(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const bindings = clause.namedBindings
  return (
    clause.name === undefined &&
    !!bindings &&
    ts.isNamedImports(bindings) &&
    bindings.elements.every((it) => it.isTypeOnly)
  )
}

function isNamed(declaration: ts.ExportDeclaration): boolean {
  return declaration.exportClause !== undefined && ts.isNamedExports(declaration.exportClause)
}

function resolved(importer: string, specifier: string, isTypeOnly: boolean): Import {
  if (!specifier.startsWith(".")) return { target: packageOf(specifier), isOwn: false, isTypeOnly }
  const target = posix.join(posix.dirname(importer), specifier).replace(/\.(js|ts)$/, "")
  return { target: `${target}.ts`, isOwn: true, isTypeOnly }
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/")
}
