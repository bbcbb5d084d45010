/**
 * A person at a terminal, against a real service: pictures, questions, and ways to leave.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { key, typed } from "../support/fixtures.ts"
import { Orchestrator } from "../support/Orchestrator.ts"

const enter = key("return")
const input = (value: unknown) => ["--input", JSON.stringify(value)]

/** A terminal in which a command has begun and has shown the text. */
const open = Effect.fnUntraced(function*(shown: string, ...args: ReadonlyArray<string>) {
  const { host } = yield* Orchestrator
  const terminal = host({ isTty: true })
  const running = yield* Effect.forkChild(terminal.run(...args))
  yield* terminal.shows(shown)
  return { terminal, end: Fiber.join(running) }
})

/** A run whose question has been on the screen long enough to be answered. */
const openQuestion = Effect.fnUntraced(function*() {
  const { end, terminal } = yield* open("approve asks", "run", "approve", ...input({ message: "Go?" }))
  for (let frame = 0; frame < 5; frame++) yield* terminal.shows("approve asks")
  const [id = ""] = /[0-9a-z]{20}/.exec(terminal.err) ?? []
  return { terminal, end, id }
})

const command = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const { host } = yield* Orchestrator
  const other = host()
  return { code: yield* other.run(...args), out: other.out }
})

layer(Orchestrator.layer, { excludeTestServices: true })("coppice at a terminal", (it) => {
  it.effect("draws a run and leaves its last picture", () =>
    Effect.gen(function*() {
      const { end, terminal } = yield* open("/40", "run", "wait", ...input({ millis: 2_000, steps: 40 }))
      assert.strictEqual(yield* end, 0)
      assert.strictEqual(terminal.out, "2000\n")
      assert.match(terminal.err, /✔ wait/)
      assert.isTrue(terminal.err.endsWith("\u001b[?25h"))
    }))

  it.effect("asks, and sends what the person fills in", () =>
    Effect.gen(function*() {
      const { end, terminal } = yield* openQuestion()
      terminal.press(key("y"), enter, ...typed("fine"), enter, key("9"), enter)
      yield* terminal.shows("must be at most 5")
      terminal.press(key("backspace"), key("3"), enter, enter)
      assert.strictEqual(yield* end, 0)
      assert.deepStrictEqual(JSON.parse(terminal.out), { approve: true, reason: "fine", reviewers: 3 })
    }))

  it.effect("takes the question away when another door is faster", () =>
    Effect.gen(function*() {
      const { end, id, terminal } = yield* openQuestion()
      terminal.press(key("y"))
      yield* command("answer", id, "--accept", "{\"approve\":false}")
      assert.strictEqual(yield* end, 0)
      assert.match(terminal.err, /approve: \w+ answered first \(accept\)/)
      assert.deepStrictEqual(JSON.parse(terminal.out), { approve: false })
    }))

  it.effect("asks for the input when none was given", () =>
    Effect.gen(function*() {
      const { end, terminal } = yield* open("❯ name", "run", "greet")
      terminal.press(...typed("Ada"), enter, key("d"), enter, enter)
      assert.strictEqual(yield* end, 0)
      assert.deepStrictEqual(JSON.parse(terminal.out), { greeting: "Hallo Ada" })
    }))

  it.effect("answers field by field, and declines by the menu", () =>
    Effect.gen(function*() {
      const id = (yield* command("run", "approve", ...input({ message: "Go?" }), "--detach")).out.trim()
      const { end, terminal } = yield* open("approve asks", "answer", id)
      terminal.press(key("escape"), key("2"))
      assert.strictEqual(yield* end, 0)
      assert.match(terminal.out, /✔ approve: declined/)
    }))

  it.effect("leaves the run running, or cancels it", () =>
    Effect.gen(function*() {
      const interrupt = key("c", { ctrl: true })
      const long = ["run", "wait", ...input({ millis: 600_000 })]
      const first = yield* open("Ctrl-C leave", ...long)
      first.terminal.press(interrupt, enter)
      assert.strictEqual(yield* first.end, 130)
      assert.match(first.terminal.err, /The run goes on/)
      const second = yield* open("Ctrl-C leave", ...long)
      second.terminal.press(interrupt, interrupt)
      assert.strictEqual(yield* second.end, 130)
      const third = yield* open("Ctrl-C leave", ...long)
      third.terminal.press(interrupt, key("down"), enter)
      assert.strictEqual(yield* third.end, 1)
      assert.match(third.terminal.err, /⊘ wait/)
    }))

  it.effect("shows all runs on a board that follows them", () =>
    Effect.gen(function*() {
      const { end, terminal } = yield* open("q leave", "watch")
      const id = (yield* command("run", "approve", ...input({ message: "On the board?" }), "--detach")).out.trim()
      yield* terminal.shows("On the board?")
      yield* command("cancel", id)
      terminal.press(key("q"))
      assert.strictEqual(yield* end, 130)
    }))

  it.effect("shows the agents on a board that follows them", () =>
    Effect.gen(function*() {
      const { end, terminal } = yield* open("0 running", "agents", "--watch")
      const id = (yield* command("run", "wait", ...input({ millis: 600_000 }), "--detach")).out.trim()
      yield* terminal.shows("wait  agent  1 waiting")
      yield* command("cancel", id)
      terminal.press(key("c", { ctrl: true }))
      assert.strictEqual(yield* end, 130)
    }))
})
