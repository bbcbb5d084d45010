/**
 * `npm run conformance [-- server|client …]`: the official suite of MCP, for both revisions, against
 * `docs/examples/conformance-agents` served like any others, and against our client.
 *
 * No failure is expected, so there is no list of such. A run is good when every required scenario passes and so does
 * every `tasks-*` scenario the suite can run; what the suite does not score is listed and changes nothing.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Ended, run } from "./childProcess.ts"
import { root, Service } from "./service.ts"

export type Role = "server" | "client"

const revisions = ["2025-11-25", "2026-07-28"] as const

const suite = join(root, "packages/mcp/node_modules/@modelcontextprotocol/conformance/dist/index.js")
const agents = join(root, "docs/examples/conformance-agents/coppice.config.ts")
const clientProgram = join(root, "packages/mcp/test/programs/conformanceClient.ts")

/** One line of the suite's summary. */
export interface Scenario {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly isGood: boolean
  /** Why it is not scored; undefined when it is required. */
  readonly unscored: string | undefined
}

/** The scenarios in what the suite printed, whose summary has each on a line, and a list of the unscored below it. */
export const scenariosIn = (output: string): ReadonlyArray<Scenario> => {
  const unscored = new Map(
    [...output.matchAll(/^ {2}[✓✗] (\S+) \((.+)\)$/gmu)].map(([, name, why]) => [name!, why!])
  )
  return [...output.matchAll(/^([✓✗]) (\S+): (\d+) passed, (\d+) failed/gmu)].map(([, mark, name, passed, failed]) => ({
    name: name!,
    passed: Number(passed),
    failed: Number(failed),
    isGood: mark === "✓" && failed === "0",
    unscored: unscored.get(name!)
  }))
}

/** The suite counts a scenario it cannot run yet as neither passed nor failed. */
const isSkipped = ({ failed, passed }: Scenario): boolean => passed + failed === 0

const mustPass = ({ name, unscored }: Scenario): boolean => unscored === undefined || name.startsWith("tasks-")

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, one) => all + one, 0)

/** What a run came to, in lines; good only when something was required and all of that passed. */
export const verdict = (title: string, scenarios: ReadonlyArray<Scenario>, trouble: string | undefined) => {
  const required = scenarios.filter(({ unscored }) => unscored === undefined)
  const tasks = scenarios.filter(({ name }) => name.startsWith("tasks-"))
  const skipped = scenarios.filter(isSkipped)
  const broken = scenarios.filter((scenario) => mustPass(scenario) && !isSkipped(scenario) && !scenario.isGood)
  const others = scenarios.filter((scenario) => !mustPass(scenario) && !scenario.isGood)
  const good = (some: ReadonlyArray<Scenario>) => some.filter((one) => one.isGood && !isSkipped(one)).length
  const isGood = trouble === undefined && required.length > 0 && good(required) === required.length &&
    broken.length === 0
  const counts = [
    `${good(required)}/${required.length} required scenarios`,
    ...tasks.length === 0 ? [] : [`${good(tasks)}/${tasks.filter((one) => !isSkipped(one)).length} tasks scenarios`],
    `checks ${sum(scenarios.map(({ passed }) => passed))} passed, ${sum(scenarios.map(({ failed }) => failed))} failed`
  ]
  return {
    isGood,
    lines: [
      `${isGood ? "ok    " : "FAILED"} ${title}: ${counts.join(", ")}`,
      ...trouble === undefined ? [] : [`  the suite ended with ${trouble}`],
      ...broken.map(({ failed, name }) => `  ✗ ${name}: ${failed} checks failed`),
      ...others.map(({ failed, name, unscored }) => `  - ${name} (${unscored}, not scored): ${failed} checks failed`),
      ...skipped.map(({ name }) => `  - ${name}: the suite does not run it yet`)
    ]
  }
}

const runSuite = (role: Role, revision: string, args: ReadonlyArray<string>): Promise<Ended> =>
  run(process.execPath, [suite, role, ...args, "--requirements", revision, "--timeout", "60000"], {
    timeoutMinutes: 5
  })

/** One role, one revision after the other: the suite starts a client's scenarios all at once. */
const runRole = async (role: Role, args: ReadonlyArray<string>): Promise<boolean> => {
  const all: Array<boolean> = []
  for (const revision of revisions) {
    const began = performance.now()
    const { output, trouble } = await runSuite(role, revision, args)
    const { isGood, lines } = verdict(`${role} ${revision}`, scenariosIn(output), trouble)
    const seconds = ((performance.now() - began) / 1_000).toFixed(0)
    console.log([`${lines[0]} (${seconds} s)`, ...lines.slice(1)].join("\n"))
    if (!isGood) console.log(output.trimEnd())
    all.push(isGood)
  }
  return all.every(Boolean)
}

const server = async (): Promise<boolean> => {
  const data = mkdtempSync(join(tmpdir(), "coppice-conformance-"))
  try {
    const service = await Service.start(["--config", agents, "--port", "0", "--data", data], data)
    try {
      return await runRole("server", ["--url", `${service.url}/mcp`])
    } finally {
      await service.stop()
    }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

const client = (): Promise<boolean> => runRole("client", ["--command", `"${process.execPath}" "${clientProgram}"`])

const main = async (roles: ReadonlyArray<string>): Promise<void> => {
  const chosen = (role: Role) => roles.length === 0 || roles.includes(role)
  const results = await Promise.all([chosen("server") ? server() : true, chosen("client") ? client() : true])
  const isGood = results.every(Boolean)
  console.log(isGood ? "Conformance: all that is required passes" : "Conformance: something required fails")
  process.exitCode = isGood ? 0 : 1
}

if (import.meta.main) await main(process.argv.slice(2))
