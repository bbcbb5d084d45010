import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { mutants } from "../../simulation/Mutants.ts"

const program = join(import.meta.dirname, "../../simulation/main.ts")

/** Where to begin, close to a seed that shows the bug; each is found within 500 seeds from the first one as well. */
const near: Readonly<Record<string, number>> = {
  "adopted-child-cancelled": 88,
  "answer-applied-twice": 83,
  "answer-made-up": 43,
  "double-step": 30,
  "early-fact-lost": 185,
  "foreign-call-not-told": 204,
  "foreign-call-repeated": 168,
  "foreign-task-not-told": 43,
  "forgotten-key": 36,
  "lost-wake-up": 375,
  "remote-not-told": 43,
  "retry-does-all-again": 53,
  "session-unchecked": 191,
  "settled-before-child": 99,
  "verify-ignored": 48
}

const simulate = (args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number; readonly output: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? 1, output: stdout + stderr })
    )
  })

describe("the simulator", () => {
  for (const { name, what } of mutants) {
    it(`finds ${name}: ${what}`, async () => {
      const { code, output } = await simulate(["--mutant", name, "--seed", String(near[name] ?? 1), "--seeds", "500"])
      assert.strictEqual(code, 0, output)
      assert.include(output, `${name} found by seed`)
    }, 60_000)
  }

  it("refuses a mutant it does not know", async () => {
    const { code, output } = await simulate(["--mutant", "nobody", "--seeds", "1"])
    assert.strictEqual(code, 2)
    assert.match(output, /lost-wake-up/)
  })
})
