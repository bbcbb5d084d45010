/**
 * What `doctor` finds: judgements over measured facts, and the lines that tell them. Measuring is `verbs/doctor`.
 *
 * ```text
 * ✔ node      24.21.0
 * ! disk      1.2 GB free in .coppice
 *             → free some space; the service stops taking work when none is left
 * ```
 */
import { type Line, line, muted, type Role, span } from "./Line.ts"
import { padEnd, widthOf } from "./Text.ts"
import { duration } from "./Times.ts"

type Level = "ok" | "warn" | "fail"

export interface Check {
  readonly name: string
  readonly level: Level
  readonly message: string
  readonly fix?: string
}

const ok = (name: string, message: string): Check => ({ name, level: "ok", message })
const warn = (name: string, message: string, fix: string): Check => ({ name, level: "warn", message, fix })
const fail = (name: string, message: string, fix: string): Check => ({ name, level: "fail", message, fix })

/** The least Node the runtime promises to run on. */
const leastNode = "22.19.0"

const parts = (version: string): ReadonlyArray<number> => version.replace(/^v/, "").split(".").map(Number)

const isBefore = (version: string, other: string): boolean => {
  const [a, b] = [parts(version), parts(other)]
  const at = a.findIndex((part, index) => part !== b[index])
  return at >= 0 && a[at]! < (b[at] ?? 0)
}

export const checkNode = (version: string): Check =>
  isBefore(version, leastNode)
    ? fail("node", `${version} is too old`, `install Node ${leastNode} or newer`)
    : ok("node", version.replace(/^v/, ""))

/** The service and this program are made for each other when they are of one release. */
export const checkVersions = (own: string, service: string): Check =>
  own === service
    ? ok("versions", `this program and the service are ${own}`)
    : warn("versions", `this program is ${own}, the service ${service}`, "use both from one release")

export const checkConfig = (path: string | undefined): Check =>
  path === undefined
    ? warn("config", "no coppice.config.ts here", "write one, or say where it is: coppice serve --config FILE")
    : ok("config", path)

/** `mode` are the permission bits of the file that holds the token. */
export const checkServiceFile = (found: { readonly path: string; readonly mode: number } | undefined): Check => {
  if (found === undefined) {
    return warn("file", "no .coppice/service.json here or above", "start a service: coppice serve")
  }
  const { mode, path } = found
  return (mode & 0o077) === 0
    ? ok("file", path)
    : fail("file", `${path} holds a secret and others may read it`, `chmod 600 ${path}`)
}

/** Milliseconds of several reads of the task store through the service, the network included. */
export const checkLatency = (samples: ReadonlyArray<number>): Check => {
  const median = [...samples].sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0
  const said = `a read takes ${median < 10 ? `${median.toFixed(1)}ms` : duration(median)}`
  if (median < 50) return ok("store", said)
  const fix = "look at the disk and the load of the machine the service runs on"
  return median < 500 ? warn("store", `${said}, which is slow`, fix) : fail("store", `${said}, which is very slow`, fix)
}

/** `behind` is how far the service's clock is from this one; a header of HTTP tells it to the second. */
export const checkClock = (behind: number, roundTrip: number): Check => {
  const skew = Math.max(0, Math.abs(behind) - 1_000 - roundTrip)
  if (skew < 2_000) return ok("clock", "the clocks agree")
  const said = `the service's clock is ${duration(Math.abs(behind))} ${behind < 0 ? "ahead" : "behind"}`
  const fix = "synchronize both clocks (NTP): deadlines and ages are wrong by that much"
  return skew < 60_000 ? warn("clock", said, fix) : fail("clock", said, fix)
}

const giga = 1024 ** 3

const bytes = (count: number): string =>
  count >= giga ? `${(count / giga).toFixed(1)} GB` : `${Math.floor(count / 1024 ** 2)} MB`

export const checkDisk = (free: number, folder: string): Check => {
  const said = `${bytes(free)} free in ${folder}`
  const fix = "free some space: without any, the service takes no more work"
  if (free < giga / 5) return fail("disk", said, fix)
  return free < giga * 2 ? warn("disk", said, fix) : ok("disk", said)
}

export const checkAgents = (agents: ReadonlyArray<{ readonly name: string; readonly state: string }>): Check => {
  const bad = agents.filter(({ state }) => state !== "running")
  if (agents.length === 0) return warn("agents", "the service has none", "name them in coppice.config.ts")
  return bad.length === 0
    ? ok("agents", agents.length === 1 ? `${agents[0]!.name} runs` : `all ${agents.length} run`)
    : fail("agents", bad.map(({ name, state }) => `${name} is ${state}`).join(", "), "coppice agents tells why")
}

/** Whose code kept the service's event loop busy last; `now` is the service's time. */
export const checkLoop = (
  blocks: ReadonlyArray<{ readonly agent: string; readonly at: number; readonly millis: number }>,
  now: number
): Check => {
  const last = blocks.toSorted((a, b) => b.at - a.at)[0]
  if (last === undefined) return ok("loop", "no agent has blocked the event loop")
  const said = `"${last.agent}" blocked the event loop for ${duration(last.millis)}, ${duration(now - last.at)} ago`
  return warn("loop", said, "run what computes on a thread, with Step.worker")
}

const signs: Readonly<Record<Level, readonly [string, Role]>> = {
  ok: ["✔", "good"],
  warn: ["!", "wait"],
  fail: ["✖", "bad"]
}

/** One line a check, and one for each fix. */
export const checkLines = (checks: ReadonlyArray<Check>): ReadonlyArray<Line> => {
  const width = checks.reduce((most, { name }) => Math.max(most, widthOf(name)), 0)
  return checks.flatMap(({ fix, level, message, name }) => {
    const [sign, role] = signs[level]
    const head = line(span(sign, role), " ", muted(padEnd(name, width)), "  ", message)
    return fix === undefined ? [head] : [head, line(" ".repeat(width + 4), muted("→ "), fix)]
  })
}

/** `9 ok, 1 warning`. */
export const summary = (checks: ReadonlyArray<Check>): string => {
  const count = (level: Level) => checks.filter((check) => check.level === level).length
  const [warnings, failures] = [count("warn"), count("fail")]
  return [
    `${count("ok")} ok`,
    warnings > 0 ? `${warnings} ${warnings === 1 ? "warning" : "warnings"}` : "",
    failures > 0 ? `${failures} failed` : ""
  ].filter((part) => part !== "").join(", ")
}
