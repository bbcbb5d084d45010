/**
 * Every verb against a real service, as scripts use them.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Orchestrator } from "../support/Orchestrator.ts"
import type { Options, TestHost } from "../support/TestHost.ts"

const command = Effect.fnUntraced(function*(args: ReadonlyArray<string>, options: Options = {}) {
  const service = yield* Orchestrator
  const host = service.host(options)
  const code = yield* host.run(...args)
  return { code, out: host.out, err: host.err }
})

/** A command that must go well; its standard output. */
const good = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const { code, err, out } = yield* command(args)
  assert.strictEqual(code, 0, err)
  return out
})

const json = (...args: ReadonlyArray<string>) => Effect.map(good(...args, "--json"), (out) => JSON.parse(out))

const start = Effect.fnUntraced(function*(agent: string, input: unknown) {
  return (yield* good("run", agent, "--input", JSON.stringify(input), "--detach")).trim()
})

/** Runs the effect while the command waits, once it has shown the text. */
const whenShown = <A, E, R>(host: TestHost, text: string, effect: Effect.Effect<A, E, R>) =>
  Effect.andThen(host.shows(text), effect)

layer(Orchestrator.layer, { excludeTestServices: true })("coppice", (it) => {
  it.effect("runs to the end and prints the result alone", () =>
    Effect.gen(function*() {
      const { code, err, out } = yield* command(["run", "greet", "--input", "{\"name\":\"Ada\",\"language\":\"ja\"}"])
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(JSON.parse(out), { greeting: "こんにちは Ada" })
      assert.match(err, /greet {2}completed {2}\{"greeting"/)
      assert.notInclude(err + out, "\u001b")
    }))

  it.effect("reads the input from a file and from the standard input", () =>
    Effect.gen(function*() {
      const { data } = yield* Orchestrator
      writeFileSync(join(data, "input.json"), "{\"name\":\"Grace\"}")
      assert.include(yield* good("run", "greet", "--input", "@.coppice/input.json"), "Hello Grace")
      const { out } = yield* command(["run", "greet", "--input", "-"], { stdin: "{\"name\":\"Alan\"}" })
      assert.include(out, "Hello Alan")
    }))

  it.effect("fails as the task does", () =>
    Effect.gen(function*() {
      const { code, err, out } = yield* command(["run", "break", "--input", "{\"why\":\"because\"}"])
      assert.strictEqual(code, 1)
      assert.strictEqual(out, "")
      assert.match(err, /✖ break .* failed/)
      assert.match(err, /because/)
    }))

  it.effect("refuses wrong input, unknown agents and spent keys with 2", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* command(["run", "greet", "--input", "{}"])).code, 2)
      const unknown = yield* command(["run", "gret"])
      assert.strictEqual(unknown.code, 2)
      assert.match(unknown.err, /did you mean "greet"/)
      const key = ["--key", "k1", "--detach"]
      const first = yield* command(["run", "greet", "--input", "{\"name\":\"A\"}", ...key])
      const again = yield* command(["run", "greet", "--input", "{\"name\":\"A\"}", ...key])
      assert.strictEqual(first.out, again.out)
      const other = yield* command(["run", "greet", "--input", "{\"name\":\"B\"}", ...key])
      assert.strictEqual(other.code, 2)
      assert.match(other.err, /use a new --key/)
    }))

  it.effect("fails a run at its deadline", () =>
    Effect.gen(function*() {
      const { code, err } = yield* command(["run", "wait", "--input", "{\"millis\":600000}", "--deadline", "100ms"])
      assert.strictEqual(code, 1)
      assert.match(err, /the deadline passed/)
    }))

  it.effect("lists, draws and explains", () =>
    Effect.gen(function*() {
      const id = yield* start("approve", { message: "\u001b[2JShip it?" })
      const table = yield* good("ps")
      assert.match(table, new RegExp(`^${id} +approve +\\? needs input .*␛\\[2JShip it\\?`, "m"))
      const listed = yield* json("ps", "--status", "input_required", "--limit", "1000")
      assert.include(listed.tasks.map((task: { readonly id: string }) => task.id), id)
      assert.match(yield* good("tree", id.slice(0, 19)), /^\? approve .* ␛\[2JShip it\?$/m)
      assert.strictEqual((yield* json("tree", id)).tasks.length, 1)
      assert.match(yield* good("why", id), /a person .*\n.*Ship it\?\n.*coppice answer/)
      assert.strictEqual((yield* json("why", id)).waits[0].on, "person")
      assert.match(yield* good("inbox", "--run", id), /approve asks[\s\S]*approve: one of yes, no/)
      yield* good("cancel", id)
    }))

  it.effect("answers, once", () =>
    Effect.gen(function*() {
      const id = yield* start("approve", { message: "Go?" })
      const untold = yield* command(["answer", id])
      assert.strictEqual(untold.code, 2)
      assert.match(untold.err, /approve asks: Go\?/)
      const wrong = yield* command(["answer", id, "--accept", "{\"approve\":\"maybe\"}"])
      assert.strictEqual(wrong.code, 2)
      assert.match(wrong.err, /approve/)
      assert.match(yield* good("answer", id, "--accept", "{\"approve\":true}"), /✔ approve: answered/)
      const late = yield* command(["answer", id, "--decline"])
      assert.strictEqual(late.code, 2)
    }))

  it.effect("says that a question was shown where somebody sees it: on a terminal, not in a pipe", () =>
    Effect.gen(function*() {
      const { host } = yield* Orchestrator
      const id = yield* start("approve", { message: "Seen?" })
      const doors = Effect.map(
        json("inbox", "--run", id),
        ({ questions }) => questions[0].standing.offers.map(({ door }: { readonly door: string }) => door)
      )
      yield* good("inbox", "--run", id)
      assert.deepStrictEqual(yield* doors, [])
      yield* host({ isTty: true }).run("inbox", "--run", id)
      assert.deepStrictEqual(yield* doors, ["cli"])
      yield* good("cancel", id)
    }))

  it.effect("answers a question of the tree below", () =>
    Effect.gen(function*() {
      const { host } = yield* Orchestrator
      const watcher = host()
      const running = yield* Effect.forkChild(watcher.run("run", "release", "--input", "{\"parts\":2,\"millis\":20}"))
      yield* whenShown(watcher, "asks", Effect.void)
      const [id = ""] = /[0-9a-z]{20}/.exec(watcher.err) ?? []
      yield* good("answer", id, "--accept", "{\"approve\":true}")
      assert.strictEqual(yield* Fiber.join(running), 0)
      assert.deepStrictEqual(JSON.parse(watcher.out), { approved: true })
    }))

  it.effect("tells what happened, fact by fact", () =>
    Effect.gen(function*() {
      const id = yield* start("greet", { name: "Ada" })
      yield* good("events", id, "--follow")
      const lines = (yield* good("events", id)).trim().split("\n")
      assert.match(lines[0]!, /greet {2}created/)
      assert.match(lines.at(-1)!, /completed/)
      const [first] = (yield* good("events", id, "--json")).trim().split("\n").map((line) => JSON.parse(line))
      assert.strictEqual(first.event._tag, "Created")
      assert.lengthOf((yield* good("events", id, "--since", String(first.seq))).trim().split("\n"), lines.length - 1)
    }))

  it.effect("steers a running tree, and what has ended not", () =>
    Effect.gen(function*() {
      const { id } = yield* json(
        ...["run", "release", "--input", JSON.stringify({ parts: 1, millis: 600_000 }), "--detach"],
        ...["--budget", "tokens=9,wallClock=2h"]
      )
      assert.match(yield* good("steer", id, "--message", "hurry", "--subtree"), new RegExp(`→ Steered ${id}\n`))
      const steered = yield* json("steer", id, "--priority", "4", "--deadline", "1h", "--budget", "{\"tokens\":5}")
      assert.deepInclude(steered.spec, { priority: 4 })
      assert.strictEqual(steered.spec.budget.tokens, 5)
      assert.match(yield* good("events", id), /steered {2}by local {2}hurry\n[\s\S]*steered {2}by local {2}priority 4/)
      assert.match((yield* command(["steer", id])).err, /There is nothing to tell the task/)
      assert.match((yield* command(["steer", id, "--budget", "{\"gold\":1}"])).err, /--budget: there is no gold/)
      yield* good("cancel", id, "--report")
      assert.match((yield* command(["steer", id, "--message", "late"])).err, /already cancelled/)
    }))

  it.effect("forks a run from a question, with another answer", () =>
    Effect.gen(function*() {
      const id = yield* start("approve", { message: "Go?" })
      yield* good("answer", id, "--accept", "{\"approve\":true}")
      yield* good("events", id, "--follow")
      const { events } = yield* Effect.map(
        good("export", id),
        (text) => ({ events: text.trim().split("\n").map((line) => JSON.parse(line)) })
      )
      const { key } = events.find(({ event }) => event._tag === "InputReceived").event
      const out = yield* good("fork", id, "--answer", `${key}={"approve":false}`)
      assert.deepStrictEqual(JSON.parse(out), { approve: false })
      assert.match((yield* command(["fork", id, "--at", "nothing"])).err, /no step, call or question "nothing"/)
    }))

  it.effect("compares the contracts of two builds", () =>
    Effect.gen(function*() {
      const { config, data } = yield* Orchestrator
      const file = join(data, "contracts.json")
      yield* good("check-compat", config, "--dump", file)
      assert.match(yield* good("check-compat", file, config), /^✔ Callers of the old build/)
      writeFileSync(file, readFileSync(file, "utf8").replaceAll("\"greeting\"", "\"salute\""))
      const { code, out } = yield* command(["check-compat", file, config])
      assert.strictEqual(code, 1)
      assert.match(out, /✖ {2}greet {2}output.salute {2}is required and was not there/)
      assert.isFalse(JSON.parse((yield* command(["check-compat", file, config, "--json"])).out).compatible)
      assert.match((yield* command(["check-compat"])).err, /Two builds are compared/)
    }))

  it.effect("exports a run and replays it, from the service, the file and a store", () =>
    Effect.gen(function*() {
      const { config, data } = yield* Orchestrator
      const id = yield* start("greet", { name: "Ada" })
      yield* good("events", id, "--follow")
      const file = join(data, "greet.jsonl")
      assert.include((yield* command(["export", id, "--output", file])).err, `facts of run ${id}`)
      assert.strictEqual(yield* good("export", id), readFileSync(file, "utf8"))
      for (const from of [[id], [file]]) {
        assert.match(
          yield* good("replay", ...from, "--config", config),
          /✔ {2}greet .*same[\s\S]*comes to the same end/
        )
      }
      writeFileSync(file, readFileSync(file, "utf8").replaceAll("Hello", "Bye"))
      const drifted = yield* command(["replay", file, "--config", config])
      assert.strictEqual(drifted.code, 1)
      assert.match(drifted.out, /- completed with \{"greeting":"Bye Ada"/)
      assert.match((yield* command(["replay", id, "--config", "none.ts"])).err, /There is no none.ts/)
    }))

  it.effect("cancels and reports every task at rest", () =>
    Effect.gen(function*() {
      const id = yield* start("release", { parts: 3, millis: 600_000 })
      const report = yield* good("cancel", id, "--reason", "not needed", "--report")
      assert.match(report, /⊘ release .* stopped/)
      assert.match(report, /4 tasks: 4 stopped/)
      assert.isTrue((yield* json("cancel", id, "--report")).converged)
      const again = yield* command(["cancel", id])
      assert.strictEqual(again.code, 2)
      const watched = yield* command(["watch", id])
      assert.strictEqual(watched.code, 1)
      assert.match(watched.out, /not needed/)
    }))

  it.effect("retries and forgets", () =>
    Effect.gen(function*() {
      const id = yield* start("greet", { name: "Ada" })
      yield* good("events", id, "--follow")
      assert.include(yield* good("retry", id), "Hello Ada")
      assert.match(yield* good("delete", id), /Deleted run .*: 1 task\n/)
      const gone = yield* command(["tree", id])
      assert.strictEqual(gone.code, 2)
      assert.match(gone.err, /^✖ No task/)
    }))

  it.effect("retries from where a run failed, or from the beginning", () =>
    Effect.gen(function*() {
      const { code, err } = yield* command(["run", "mend", "--input", "{\"what\":\"roof\"}"])
      assert.strictEqual(code, 1)
      const id = /mend {2}(\w{20})/.exec(err)![1]!
      assert.deepStrictEqual(JSON.parse(yield* good("retry", id)), { works: 1, checks: 2 })
      const fresh = yield* command(["retry", id, "--fresh"])
      assert.strictEqual(fresh.code, 1)
      const again = /mend {2}(\w{20})/.exec(fresh.err)![1]!
      assert.deepStrictEqual(JSON.parse(yield* good("retry", again)), { works: 2, checks: 4 })
      const [last] = JSON.parse(yield* good("ps", "--agent", "mend", "--json")).tasks
      assert.match(yield* good("events", last.id), new RegExp(`reuses {2}work {2}of ${again} {2}2\n`))
    }))

  it.effect("shows the agents and the state of everything", () =>
    Effect.gen(function*() {
      assert.match(yield* good("agents"), /supervisor {2}one_for_one[\s\S]*└─ ● release {2}workflow {2}idle/)
      assert.lengthOf((yield* json("agents")).agents, 7)
      const checks = (yield* json("doctor")).checks as ReadonlyArray<{ readonly name: string; readonly level: string }>
      assert.deepStrictEqual(checks.filter(({ level }) => level === "fail"), [])
      assert.include(checks.map(({ name }) => name), "store")
    }))

  it.effect("leaves the run alone when interrupted, and says how to find it again", () =>
    Effect.gen(function*() {
      const { host } = yield* Orchestrator
      const waiting = host()
      const running = yield* Effect.forkChild(waiting.run("run", "wait", "--input", "{\"millis\":600000}"))
      yield* waiting.shows("created")
      waiting.signal("SIGINT")
      assert.strictEqual(yield* Fiber.join(running), 130)
      const [, id = ""] = /coppice watch (\w+)/.exec(waiting.err) ?? []
      assert.strictEqual((yield* json("tree", id)).tasks[0].status, "working")
      yield* good("cancel", id)
    }))

  it.effect("keeps its token to itself", () =>
    Effect.gen(function*() {
      const { data } = yield* Orchestrator
      const { token } = JSON.parse(
        yield* Effect.promise(() =>
          import("node:fs/promises").then(({ readFile }) => readFile(join(data, "service.json"), "utf8"))
        )
      )
      for (const args of [["doctor"], ["ps"], ["agents", "--json"], ["run", "gret"]]) {
        const { err, out } = yield* command(args)
        assert.notInclude(out + err, token)
      }
      const wrong = yield* command(["ps"], { env: { COPPICE_TOKEN: "wrong" } })
      assert.strictEqual(wrong.code, 2)
      assert.match(wrong.err, /COPPICE_TOKEN/)
    }))

  it.effect("watches the agents: in a pipe every change is a line", () =>
    Effect.gen(function*() {
      const { host } = yield* Orchestrator
      const pipe = host()
      const watching = yield* Effect.forkChild(pipe.run("agents", "--watch"))
      yield* pipe.shows("wait  agent")
      const id = yield* start("wait", { millis: 600_000 })
      yield* pipe.shows("wait  agent  1 waiting")
      yield* good("cancel", id, "--report")
      yield* pipe.shows("wait  agent  idle")
      yield* Fiber.interrupt(watching)
      const lines = pipe.out.trimEnd().split("\n")
      assert.isTrue(lines.every((text) => /^\d\d:\d\d:\d\d\.\d{3}  . \w+  /u.test(text)), pipe.out)
      const data = host()
      const json = yield* Effect.forkChild(data.run("agents", "--watch", "--json"))
      yield* data.shows("supervision")
      yield* Fiber.interrupt(json)
      assert.includeMembers(Object.keys(JSON.parse(data.out.split("\n")[0]!)), ["agents", "groups"])
    }))
})
