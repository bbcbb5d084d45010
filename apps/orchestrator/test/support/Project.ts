/**
 * A project of somebody's as it stands on a disk: a configuration, a module of it, a package of its workspace.
 */
import * as Effect from "effect/Effect"
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { folder } from "./Service.ts"

const packageOf = (specifier: string): string => dirname(dirname(fileURLToPath(import.meta.resolve(specifier))))

interface Project {
  /** Where the configuration stands. */
  readonly app: string
  /** Writes a file below the project at once, as editors do: beside it, then in its place. */
  readonly write: (path: string, text: string) => Effect.Effect<void>
}

const put = (root: string) => (path: string, text: string) =>
  Effect.sync(() => {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    const beside = `${file}.new`
    writeFileSync(beside, text)
    renameSync(beside, file)
  })

/** Imports every module of a project needs. */
export const imports = `import { Agent, Human, Orchestrator, Step, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
`

/** An agent that says a word. */
export const says = (name: string, word: string, more = ""): string =>
  `${imports}
export const Live = Agent.make("${name}", {
  description: "Says a word",
  input: ${more === "" ? "Schema.Json" : more},
  output: Schema.Json
}).toLayer(() => Effect.succeed(${word}))
`

/** What an agent does that waits for so long, in task time. */
export const nap = (time: string): string => `Effect.as(Effect.sleep("${time}"), "awake")`

/** A configuration of these modules, each of which exports `Live`. */
export const config = (names: ReadonlyArray<string>, more = ""): string =>
  `${imports}${names.map((name, i) => `import { Live as Live${i} } from "./${name}.ts"\n`).join("")}
export default Orchestrator.make({ agents: [${names.map((_, i) => `Live${i}`).join(", ")}], ${more} })
`

/** A project with these files below it; it goes with the scope. */
export const project = Effect.fnUntraced(function*(files: Readonly<Record<string, string>>) {
  const root = yield* folder
  const write = put(root)
  const app = join(root, "app")
  const modules = join(app, "node_modules")
  mkdirSync(join(modules, "@acme"), { recursive: true })
  symlinkSync(packageOf("coppice"), join(modules, "coppice"))
  symlinkSync(packageOf("effect/Effect"), join(modules, "effect"))
  symlinkSync("../../../words", join(modules, "@acme", "words"))
  yield* write("app/package.json", `{ "type": "module" }`)
  yield* write("words/package.json", `{ "name": "@acme/words", "type": "module", "exports": "./src/index.ts" }`)
  yield* write("words/src/index.ts", `export const word: string = "one"\n`)
  for (const [path, text] of Object.entries(files)) yield* write(path, text)
  const made: Project = { app, write }
  return made
})
