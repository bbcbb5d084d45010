/** What a person must know before saying yes: how much changes, what is risky, and everything that failed. */
import type { Refusal } from "./Inventory.ts"
import type { FileResult, Warning } from "./Migrate.ts"

export interface Summary {
  readonly files: { readonly migrated: number; readonly unchanged: number; readonly failed: number }
  readonly lines: { readonly added: number; readonly removed: number }
  readonly changes: Readonly<Record<string, number>>
  /** Migrated, but worth a look. */
  readonly risky: ReadonlyArray<{ readonly path: string; readonly warnings: ReadonlyArray<Warning> }>
  /** Every one of them; they stay CommonJS. */
  readonly failures: ReadonlyArray<{ readonly path: string } & Refusal>
  readonly notes: number
  readonly text: string
}

export const summarise = (results: ReadonlyArray<FileResult>): Summary => {
  const migrated = results.filter((result) => result.status === "migrated")
  const failures = results.flatMap((result) =>
    result.status === "failed" ? [{ path: result.path, ...result.reason }] : []
  )
  const risky = migrated.flatMap(({ path, warnings }) => {
    const serious = warnings.filter((warning) => warning.risky)
    return serious.length === 0 ? [] : [{ path, warnings: serious }]
  })
  const counted = {
    files: {
      migrated: migrated.length,
      unchanged: results.filter(({ status }) => status === "unchanged").length,
      failed: failures.length
    },
    lines: {
      added: sum(migrated.map(({ diff }) => diff.added)),
      removed: sum(migrated.map(({ diff }) => diff.removed))
    },
    changes: addUp(migrated.map(({ changes }) => changes)),
    risky,
    failures,
    notes: sum(migrated.map(({ warnings }) => warnings.filter((warning) => !warning.risky).length))
  }
  return { ...counted, text: textOf(counted) }
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const addUp = (records: ReadonlyArray<Readonly<Record<string, number>>>): Record<string, number> => {
  const keys = [...new Set(records.flatMap((record) => Object.keys(record)))].sort()
  return Object.fromEntries(keys.map((key) => [key, sum(records.map((record) => record[key] ?? 0))]))
}

const textOf = ({ changes, failures, files, lines, notes, risky }: Omit<Summary, "text">): string =>
  [
    `${files.migrated} files become ES modules, ${files.unchanged} stay as they are, ${files.failed} failed`,
    `+${lines.added} −${lines.removed} lines; ${Object.entries(changes).map(([key, n]) => `${n} × ${key}`).join(", ")}`,
    `${notes} notes`,
    ...section("Failed, and kept as CommonJS:", failures.map((failure) => `${place(failure)} ${failure.message}`)),
    ...section(
      "Look at these:",
      risky.flatMap(({ path, warnings }) =>
        warnings.map((warning) => `${place({ path, ...warning })} ${warning.message}`)
      )
    )
  ].join("\n")

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)]

const place = ({ code, column, line, path }: { path: string; line: number; column: number; code: string }): string =>
  `${path}:${line}:${column} [${code}]`
