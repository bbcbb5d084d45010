import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { later } from "../src/Commands.ts"
import { TestHost } from "./support/TestHost.ts"

const command = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const host = new TestHost({ env: { COPPICE_URL: "http://127.0.0.1:1" } })
  const code = yield* host.run(...args)
  return { code, out: host.out, err: host.err }
})

/** A wrong command line: exit 2, nothing on the standard output, one line and its fix. */
const wrong = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const { code, err, out } = yield* command(...args)
  assert.strictEqual(code, 2)
  assert.strictEqual(out, "")
  const [message = "", fix = ""] = err.split("\n")
  return [message, fix]
})

describe("coppice", () => {
  it.effect("lists its verbs", () =>
    Effect.gen(function*() {
      const { code, out } = yield* command("--help")
      assert.strictEqual(code, 0)
      for (
        const verb of [
          "serve",
          "dev",
          "run",
          "ps",
          "tree",
          "watch",
          "events",
          "why",
          "inbox",
          "answer",
          "cancel",
          "retry"
        ]
      ) {
        assert.match(out, new RegExp(`^  ${verb} `, "m"))
      }
      assert.strictEqual((yield* command()).out, out)
      assert.strictEqual((yield* command("help")).out, out)
    }))

  it.effect("explains a verb", () =>
    Effect.gen(function*() {
      const { out } = yield* command("run", "--help")
      for (const flag of ["--input", "--detach", "--deadline", "--key", "--json", "--url", "--data"]) {
        assert.include(out, flag)
      }
      assert.strictEqual((yield* command("help", "run")).out, out)
    }))

  it.effect("prints its release", () =>
    Effect.map(command("--version"), ({ out }) => assert.match(out, /^coppice \d+\.\d+\.\d+\n$/)))

  it.effect("writes completions", () =>
    Effect.map(command("--completions", "bash"), ({ out }) => assert.match(out, /coppice/)))

  it.effect("suggests the verb and the flag that were meant", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* wrong("trree"), ["✖ There is no command trree", "  → did you mean tree?"])
      assert.deepStrictEqual(yield* wrong("ps", "--jsn"), [
        "✖ coppice ps has no flag --jsn",
        "  → did you mean --json?"
      ])
    }))

  it.effect("says what is missing, too much or wrong", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* wrong("tree"), ["✖ coppice tree needs <id>", "  → coppice tree --help"])
      assert.deepStrictEqual(yield* wrong("ps", "x"), ["✖ coppice ps takes no \"x\"", "  → coppice ps --help"])
      assert.match((yield* wrong("ps", "--limit", "many"))[0]!, /^✖ --limit cannot be "many"/)
      assert.match((yield* wrong("ps", "--status", "done"))[1]!, /working/)
      assert.match((yield* wrong("run", "a", "--input"))[0]!, /--input needs a value/)
    }))

  it.effect("obeys no escapes of the command line", () =>
    Effect.map(wrong("\u001b[2J"), ([message]) => assert.strictEqual(message, "✖ There is no command ␛[2J")))

  it.effect("says of every later verb that it comes later", () =>
    Effect.forEach(later.keys(), (verb) =>
      Effect.map(wrong(verb, "--any"), ([message, fix]) => {
        assert.strictEqual(message, `✖ coppice ${verb} comes in a later release`)
        assert.match(fix!, /^ {2}→ today: /)
      })))

  it.effect("checks input before it asks the service", () =>
    Effect.gen(function*() {
      assert.match((yield* wrong("run", "a", "--input", "{"))[0]!, /--input is not JSON/)
      assert.match((yield* wrong("run", "a", "--input", "@nowhere.json"))[0]!, /Cannot read .*nowhere\.json \(ENOENT\)/)
      assert.match((yield* wrong("run", "a", "--input", "1", "--deadline", "soon"))[0]!, /--deadline/)
      assert.match((yield* wrong("answer", "a", "--accept", "1", "--decline"))[0]!, /not several/)
    }))

  it.effect("ends with 3 when no service answers", () =>
    Effect.gen(function*() {
      for (const args of [["ps"], ["run", "a", "--input", "1"], ["cancel", "x"], ["watch"], ["doctor"]]) {
        const { code } = yield* command(...args)
        assert.strictEqual(code, 3, args.join(" "))
      }
      const { err } = yield* command("ps")
      assert.strictEqual(err, "✖ No service answers at http://127.0.0.1:1\n  → start one with `coppice serve`\n")
    }))
})
