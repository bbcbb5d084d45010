import { Durable } from "coppice"
import * as Effect from "effect/Effect"
import { dirname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { Integrate, Migrate, MigrateFile, Scan, Verify } from "./Contracts.ts"

const semver = () => dirname(fileURLToPath(import.meta.resolve("semver/package.json")))

const nothing = { compared: 0, equal: 0, exportsCompared: 0, modulesLoaded: 0, differences: [] }

export const MigrateLive = Migrate.toLayer(
  Effect.fn("migrate")(function*(input) {
    const source = input.source === undefined ? semver() : resolve(input.source)
    const { cycles, files, inventory, name, root } = yield* Scan.call({ source })
    const output = resolve(input.output ?? `.coppice/migrated/${name.replaceAll(/[^\w.-]+/g, "_")}`)
    let done = 0
    const reports = yield* Effect.forEach(
      files,
      (path) =>
        Effect.tap(
          MigrateFile.call({ inventory, path }),
          () => Durable.progress({ progress: ++done, total: files.length, message: path })
        ),
      { concurrency: 16 }
    )
    const { approved, kept } = yield* Integrate.call({ inventory, output, reports })
    const verified = approved
      ? yield* Verify.call({ original: root, migrated: output, checks: input.checks, seed: input.seed })
      : nothing
    const count = (status: string) => reports.filter((report) => report.status === status).length
    return {
      source: root,
      output,
      approved,
      migrated: count("migrated"),
      unchanged: count("unchanged"),
      failures: reports.flatMap(({ failure, path }) => failure === null ? [] : [{ path, why: failure }]),
      kept,
      linesAdded: reports.reduce((sum, { added }) => sum + added, 0),
      linesRemoved: reports.reduce((sum, { removed }) => sum + removed, 0),
      cycles,
      ...verified
    }
  })
)
