/**
 * A server of FastMCP, in Python, as remote agents of ours. `COPPICE_PYTHON` names a Python that has `fastmcp`; without
 * one these tests skip.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { life, newStore, rest, submit } from "../../support/Engine.ts"

const python = process.env["COPPICE_PYTHON"] ?? "python3"
const isThere = spawnSync(python, ["-c", "import fastmcp"], { stdio: "ignore", timeout: 20_000 }).status === 0
const program = fileURLToPath(new URL("support/fastmcp_server.py", import.meta.url))

const options = () => ({
  store: newStore(),
  server: { endpoint: { _tag: "Stdio", command: python, args: [program] } } as const,
  agents: ["add", "slow", "ask", "broken"].map((name) => ({ name }))
})

describe.skipIf(!isThere)("a server of FastMCP (none is here; COPPICE_PYTHON names one)", () => {
  it.live("is called, heard, and believed when it fails or refuses", () =>
    life(
      options(),
      Effect.gen(function*() {
        const sum = yield* rest(yield* submit("add", { a: 20, b: 22 }))
        assert.deepStrictEqual(sum.ending, { _tag: "Completed", result: { result: 42 } })

        const slow = yield* rest(yield* submit("slow"))
        assert.deepInclude(slow.task.progress, { progress: 2, total: 2 })

        // FastMCP asks over requests of the server, which 2026-07-28 no longer has: the refusal is its own words
        const refused = (yield* rest(yield* submit("ask"))).ending
        assert(refused._tag === "Failed")
        assert.include(refused.message, "elicitation")

        const { ending } = yield* rest(yield* submit("broken"))
        assert(ending._tag === "Failed")
        assert.include(ending.message, "it broke")
      })
    ), 60_000)
})
