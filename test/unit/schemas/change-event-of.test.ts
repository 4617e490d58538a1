import { join } from "node:path"
import ts from "typescript"

const root = join(__dirname, "../../..")

it("gives each entity the type of its events", () => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
    config: object
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const file = join(__dirname, "change-event-of.types.ts")

  const program = ts.createProgram([file], { ...options, skipLibCheck: true })

  const found = program.getSemanticDiagnostics(program.getSourceFile(file))
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([])
})
