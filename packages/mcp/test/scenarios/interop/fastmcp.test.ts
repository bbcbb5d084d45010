/**
 * The client of FastMCP, in Python, against our service. `COPPICE_PYTHON` names a Python that has `fastmcp`, and
 * `fastmcp[tasks]` for tasks; without one these tests skip.
 */
import { execFile, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"
import { Service } from "./support/Service.ts"

const python = process.env["COPPICE_PYTHON"] ?? "python3"
const program = fileURLToPath(new URL("support/fastmcp_client.py", import.meta.url))

const isThere = spawnSync(python, ["-c", "import fastmcp"], { stdio: "ignore", timeout: 20_000 }).status === 0

const shared = Service.shared()

const run = promisify(execFile)

interface Seen {
  readonly fastmcp: string
  readonly revision: string
  readonly tools: number
  readonly progress: ReadonlyArray<number>
  readonly tasks?: Readonly<Record<string, string>>
  readonly [key: string]: unknown
}

const ways = (["HTTP", "stdio"] as const).flatMap((way) =>
  ([["legacy", "2025-11-25"], ["auto", "2026-07-28"]] as const).map(([mode, revision]) => ({ way, mode, revision }))
)

it.skipIf(!isThere)("has a Python with fastmcp (none is here; COPPICE_PYTHON names one)", () => assert.isTrue(isThere))

describe.each(isThere ? ways : [])("FastMCP, $revision over $way", ({ mode, revision, way }) => {
  it("calls, hears progress, is asked, reads; and in tasks where it has them", async () => {
    const service = await shared()
    const { args, command } = service.pipe
    const how = way === "HTTP" ? ["http", service.mcp.href, service.token] : ["stdio", command, args[0]!, service.data]
    const { stdout } = await run(python, [program, ...how, mode], { timeout: 60_000 })
    const { fastmcp, progress, tasks, tools, ...seen } = JSON.parse(stdout) as Seen
    assert.deepStrictEqual(seen, {
      revision,
      sync: "Hello, Ada!",
      slow: "six: computed for 0.4 s",
      asked: "Deleted a.txt",
      resource: "This is the content of the static text resource.",
      prompt: "This is a simple prompt for testing."
    })
    assert.match(fastmcp, /^\d+\./)
    assert.isAbove(tools, 20)
    assert.deepStrictEqual(progress.slice(0, 2), [0, 50])
    if (tasks === undefined) return
    assert.deepStrictEqual(tasks, { slow: "task: computed for 0.4 s", asked: "Deleted b.txt", cancelled: "cancelled" })
  }, 60_000)
})
