/**
 * What `coppice dev` prints, as lines: three links, then what became of each edit.
 */
import type { DevProblem, Outgrown, Reload } from "@coppice/api/DevApi"

/** Where the doors are. */
export interface Doors {
  /** The console, with the token where only a person sees it. */
  readonly console: string
  readonly mcp: string
  /** The command that tells an MCP host. */
  readonly host: string
  /** Where traces are sent; `undefined`: nowhere. */
  readonly traces: string | undefined
}

/** Exactly three links. */
export const doors = ({ console, host, mcp, traces }: Doors): ReadonlyArray<string> => [
  `  console  ${console}`,
  `  mcp      ${mcp}   ${host}`,
  `  traces   ${
    traces ?? `${new URL("/", console).href}   (built in; OTEL_EXPORTER_OTLP_ENDPOINT sends them elsewhere)`
  }`
]

const few = 5

const listed = (names: ReadonlyArray<string>): string =>
  names.length <= few ? names.join(", ") : `${names.slice(0, few).join(", ")} and ${names.length - few} more`

const part = (verb: string, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.length === 0 ? [] : [`${listed(names)} ${verb}`]

/** One line; the differences of contracts and what needs a new start below it, if there are any. */
export const reloaded = (
  { added, changed, contracts, files, millis, removed, restart }: Reload
): ReadonlyArray<string> => {
  const parts = [...part("changed", changed), ...part("added", added), ...part("removed", removed)]
  const what = parts.length === 0 ? "no agent changed" : parts.join(", ")
  return [
    `reloaded in ${millis} ms: ${what} (${listed(files)})`,
    ...contracts.map(({ agent, breaks, message, part, path }) =>
      `  ${breaks ? "!" : "·"} ${agent}, ${part}${path === "" ? "" : ` ${path}`}: ${message}`
    ),
    ...restart.length === 0 ? [] : [`  ${listed(restart)} changed too: start again to take that up`]
  ]
}

const placeOf = ({ column, file, line }: DevProblem): string =>
  [file ?? "", line, column].filter((one) => one !== null && one !== "").join(":")

/** What is wrong, where, and what goes on meanwhile. */
export const broken = (problem: DevProblem, isRunning: boolean): ReadonlyArray<string> => [
  `not loaded: ${placeOf(problem)} ${problem.message}`,
  ...problem.excerpt === null ? [] : [`  ${problem.line} | ${problem.excerpt}`],
  isRunning
    ? "  The code of before runs on; this waits for the next edit."
    : "  Nothing runs yet; this waits for the next edit."
]

/** What differs, and how to go on. */
export const outgrown = ({ agent, choices, message, task }: Outgrown): ReadonlyArray<string> => [
  `task ${task} of "${agent}" no longer fits the code:`,
  ...message.split("\n").filter((line) => line.trim() !== "").map((line) => `  ${line.trimEnd()}`),
  ...choices.map((choice) => `  coppice answer ${task} --accept '${JSON.stringify({ choice })}'`)
]
