/**
 * The user's code, loaded and loaded again by Vite's module runner: the configuration, all it imports, and the packages of
 * its workspace. What is installed (below `node_modules`, and Coppice itself) is imported by Node as ever, once.
 *
 * A module whose file and imports have not changed is not evaluated again, so what it exports stays the same value.
 */
import type { DevProblem } from "@coppice/api/DevApi"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { dirname, relative } from "node:path"
import {
  createRunnableDevEnvironment,
  createServer,
  normalizePath,
  type RunnableDevEnvironment,
  type ViteDevServer
} from "vite"
import { Folders } from "./Folders.ts"
import * as Problem from "./Problem.ts"
import { stripping } from "./Stripping.ts"

/** Code that cannot be loaded. */
class NotLoaded extends Data.TaggedError("NotLoaded")<{ readonly problem: Omit<DevProblem, "at"> }> {}

/** Files that changed within a moment, and when the first did (`performance.now`). */
export interface Edit {
  readonly files: ReadonlyArray<string>
  readonly since: number
}

export interface Modules {
  /** What the configuration's module exports now. */
  readonly load: Effect.Effect<unknown, NotLoaded>
  /** Waits for files of the graph to change, or any file while the code cannot be loaded. */
  readonly changed: Effect.Effect<Edit>
  /** What code of the graph has thrown, and where. */
  readonly problemOf: (error: unknown) => Omit<DevProblem, "at">
}

/** Editors write a file in several strokes, and `git checkout` many files. */
const moment = "15 millis"

/** Of this process already: a second copy would have services of its own. */
const shared = ["coppice", "@coppice/agent", "@coppice/mcp", "@coppice/sqlite", "@coppice/task", "effect"]

const environmentName = "agents"

const open = (root: string): Promise<ViteDevServer> =>
  createServer({
    root,
    configFile: false,
    envDir: false,
    publicDir: false,
    appType: "custom",
    logLevel: "silent",
    clearScreen: false,
    optimizeDeps: { noDiscovery: true },
    // code that runs here runs in `coppice serve`
    plugins: [stripping],
    oxc: false,
    resolve: { extensions: [] },
    server: {
      middlewareMode: true,
      hmr: false,
      ws: false,
      // `Folders` does
      watch: null
    },
    environments: {
      [environmentName]: {
        consumer: "server",
        resolve: { external: shared },
        dev: {
          createEnvironment: (name, config) =>
            createRunnableDevEnvironment(name, config, { hot: false, runnerOptions: { hmr: false } })
        }
      }
    }
  })

/** The modules below a configuration, until the scope closes. */
export const make = Effect.fnUntraced(function*(
  file: string
): Effect.fn.Return<Modules, never, Scope.Scope> {
  const root = dirname(file)
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => open(root)),
    // it may still be busy with code nobody needs any more
    (server) => Effect.timeoutOption(Effect.promise(() => server.close()), "1 second")
  )
  const environment = server.environments[environmentName] as RunnableDevEnvironment
  const { moduleGraph, runner } = environment
  const edits = yield* Queue.unbounded<{ readonly file: string; readonly at: number }>()
  let isBroken = false
  const isKnown = (path: string) => moduleGraph.getModulesByFile(normalizePath(path)) !== undefined
  const problemOf = (error: unknown) => Problem.of(error, { root, config: file, isKnown })
  const heard = (path: string) => {
    if (isBroken || isKnown(path)) Queue.offerUnsafe(edits, { file: path, at: performance.now() })
  }
  const folders = yield* Effect.acquireRelease(
    Effect.sync(() => new Folders(heard)),
    (all) => Effect.sync(() => all.close())
  )
  folders.add(root)

  const follow = Effect.sync(() => {
    for (const path of moduleGraph.fileToModulesMap.keys()) folders.add(dirname(path))
  })

  const load = Effect.ensuring(
    Effect.tryPromise({
      try: async () => {
        const module = await runner.import<{ readonly default?: unknown }>(file)
        isBroken = false
        return module.default
      },
      catch: (error) => {
        isBroken = true
        return new NotLoaded({ problem: problemOf(error) })
      }
    }),
    follow
  )

  const changed = Effect.gen(function*() {
    const first = yield* Queue.take(edits)
    yield* Effect.sleep(moment)
    const rest = yield* Queue.clear(edits)
    const paths = new Set([first, ...rest].map((edit) => edit.file))
    const ours = [...paths].filter(isKnown)
    for (const path of ours) moduleGraph.onFileChange(normalizePath(path))
    const files = ours.length === 0 ? [...paths] : ours
    return { files: files.map((path) => relative(root, path)), since: first.at }
  })

  return { load, changed, problemOf }
})
