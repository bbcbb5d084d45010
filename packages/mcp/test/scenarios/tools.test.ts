/**
 * What a host is offered beside the agents: tasks as four tools, the service to operate, what runs leave behind.
 */
import { noLimits } from "@coppice/task/Budget"
import type { TaskState } from "@coppice/task/TaskMachine"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { idOf } from "../suites/Case.ts"
import * as Bench from "../support/Bench.ts"
import type { Peer25, Peer26, RawPeer } from "../support/RawPeer.ts"

const offered = Bench.layerOf({
  offer: { operateTools: true },
  why: (id) => Effect.succeed({ waits: `${id} waits for nothing` })
})

const withoutTasks = { capabilities: { elicitation: { form: {} } } }

const story = (name: string, tell: (bench: Bench.Bench) => Promise<void>) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      const bench = yield* Bench.make("HTTP")
      yield* Effect.promise(() => tell(bench))
    }).pipe(Effect.provide(offered)))

const namesOf = async (peer: RawPeer): Promise<ReadonlyArray<string>> =>
  (await peer.call("tools/list")).tools.map(({ name }: { readonly name: string }) => name)

const use = (peer: RawPeer, name: string, args: object = {}) => peer.call("tools/call", { name, arguments: args })

const textOf = (result: any): string => result.content[0].text

const start = (peer: RawPeer, agent: string, script: ReadonlyArray<unknown>) =>
  use(peer, "task_start", { agent, arguments: { script } })

const four = ["task_start", "task_get", "task_update", "task_cancel"]

const both: ReadonlyArray<readonly [string, (bench: Bench.Bench) => Promise<Peer25 | Peer26>]> = [
  ["2025-11-25", (bench) => bench.session(withoutTasks)],
  ["2026-07-28", (bench) => bench.modern(withoutTasks)]
]

describe("tasks as tools", () => {
  story("are offered to hosts without tasks, and to no other", async (bench) => {
    const old = await bench.session(withoutTasks)
    assert.includeMembers([...await namesOf(old)], four)
    const knowing = await bench.session({ capabilities: { tasks: {} } })
    assert.notIncludeMembers([...await namesOf(knowing)], four)
    const plain = await bench.modern(withoutTasks)
    assert.includeMembers([...await namesOf(plain)], four)
    const extended = await bench.modern()
    assert.notIncludeMembers([...await namesOf(extended)], four)
  })

  for (const [revision, connect] of both) {
    story(`start work, name it shortly, answer and end it (${revision})`, async (bench) => {
      const peer = await connect(bench)
      const begun = await bench.hasten(start(peer, "always", [["ask", "name"], ["complete", "thanks"]]))
      assert.strictEqual(begun.structuredContent.reference, "always-1")
      assert.strictEqual(begun.structuredContent.status, "input_required")
      assert.strictEqual(begun.structuredContent.questions[0].key, "name")
      // one open task: nobody has to name it
      assert.strictEqual((await use(peer, "task_get")).structuredContent.reference, "always-1")
      const answers = { name: { action: "accept", content: { name: "Ada" } } }
      const ended = await bench.hasten(use(peer, "task_update", { reference: "always-1", answers }))
      assert.strictEqual(textOf(ended), "thanks")
      assert.strictEqual(textOf(await use(peer, "task_get", { reference: "always-1" })), "thanks")
    })
  }

  story("are told apart by their references, each principal's own", async (bench) => {
    const peer = await bench.modern(withoutTasks)
    await bench.hasten(start(peer, "always", []))
    await bench.hasten(start(peer, "always", []))
    const unclear = await use(peer, "task_get")
    assert.isTrue(unclear.isError)
    assert.match(textOf(unclear), /several open tasks, name one of always-2, always-1/)
    const other = await bench.modern({ ...withoutTasks, as: "bob" })
    assert.match(textOf(await use(other, "task_get")), /no open task/)
    assert.match(textOf(await use(other, "task_get", { reference: "always-1" })), /there is no task "always-1"/)
    const cancelled = await use(peer, "task_cancel", { reference: "always-1" })
    assert.strictEqual(cancelled.structuredContent.status, "cancelled")
  })

  story("tell a model what it got wrong as a result", async (bench) => {
    const peer = await bench.modern(withoutTasks)
    assert.match(textOf(await use(peer, "task_start", { agent: "nobody" })), /Unknown tool: nobody/)
    const invalid = await use(peer, "task_start", { agent: "always", arguments: { script: "bad" } })
    assert.match(textOf(invalid), /Invalid arguments: script: not a script/)
    await bench.hasten(start(peer, "always", []))
    assert.match(textOf(await use(peer, "task_update", { answers: 1 })), /answers: has to be an object/)
  })

  story("wait for the end when they are asked to", async (bench) => {
    const peer = await bench.modern(withoutTasks)
    const begun = await bench.hasten(start(peer, "always", []))
    const waiting = use(peer, "task_get", { reference: "always-1", waitSeconds: 30 })
    const [id] = bench.hand.held()
    await bench.act({ taskId: id! }, ["complete", "at last"])
    assert.strictEqual(begun.structuredContent.status, "working")
    assert.strictEqual(textOf(await bench.hasten(waiting)), "at last")
  })
})

describe("the service, operated", () => {
  const operate = (peer: RawPeer, verb: string, args: object = {}) => use(peer, `coppice_${verb}`, args)

  story("lists, inspects, explains, steers, cancels and retries, and answers nothing", async (bench) => {
    const peer = await bench.modern()
    const names = (await namesOf(peer)).filter((name) => name.startsWith("coppice_"))
    const verbs = ["list", "inspect", "why", "steer", "cancel", "cancel_preview", "cancel_report", "fork", "retry"]
    assert.sameMembers([...names], verbs.map((verb) => `coppice_${verb}`))

    const id = idOf((await peer.tool("always", [["child", "c", []], ["ask", "name"]]).response).result)
    const { runs } = (await operate(peer, "list", { status: "input_required" })).structuredContent
    assert.deepInclude(runs[0], { id, agent: "always", status: "input_required" })
    const seen = (await operate(peer, "inspect", { id })).structuredContent
    assert.lengthOf(seen.tree, 2)
    assert.deepStrictEqual(seen.asks, [{ task: id, message: "What is your name?" }])
    const { waits } = (await operate(peer, "why", { id })).structuredContent
    assert.strictEqual(waits, `${id} waits for nothing`)
    const told = (await operate(peer, "steer", { id, message: "enough", priority: 3 })).structuredContent
    assert.strictEqual(told.id, id)
    const preview = (await operate(peer, "cancel_preview", { id })).structuredContent
    assert.lengthOf(preview.cancelled, 2)
    assert.deepStrictEqual(preview.people, [{ task: id, agent: "always", message: "What is your name?" }])
    const report = (await operate(peer, "cancel", { id, reason: "enough" })).structuredContent
    assert.lengthOf(report.nodes, 2)
    assert.strictEqual(report.totals.stopped, 2)
    assert.deepStrictEqual((await operate(peer, "cancel_report", { id })).structuredContent, report)
    assert.match(textOf(await operate(peer, "cancel", { id })), /already cancelled/)
    const again = (await operate(peer, "retry", { id })).structuredContent
    assert.deepInclude(again, { agent: "always" })
    assert.notStrictEqual(again.id, id)
  })

  for (const [revision, connect] of both) {
    story(`changes the limits of a run that has some, and says which field is wrong (${revision})`, async (bench) => {
      const peer = await connect(bench)
      const budget = { ...noLimits, calls: 5 }
      const work = { agent: "always", input: {}, principal: "alice", budget }
      const { id } = await bench.run(bench.tasks.submit(work))
      const steer = (args: object) => operate(peer, "steer", { id, ...args })
      assert.strictEqual((await steer({ deadline: 60_000, budget: { calls: 9 } })).structuredContent.id, id)
      const { deadline, steered } = (await bench.run(bench.tasks.get(id))) as TaskState
      assert.deepStrictEqual([deadline, steered?.budget], [60_000, { ...noLimits, calls: 9 }])
      assert.match(textOf(await steer({ deadline: "soon" })), /deadline: /)
      assert.match(textOf(await steer({ budget: { calls: "many" } })), /budget.calls: /)
      assert.match(textOf(await steer({ budget: { calls: -1 } })), /budget.calls: has to be a whole number/)
      const { tools } = await peer.call("tools/list")
      const { inputSchema } = tools.find(({ name }: { readonly name: string }) => name === "coppice_steer")
      assert.sameMembers(Object.keys(inputSchema.properties.budget.properties), [
        ...Object.keys(noLimits),
        "depth",
        "fanOut",
        "soft"
      ])
      assert.strictEqual(inputSchema.properties.deadline.type, "integer")
    })

    story(`forks a run with another answer (${revision})`, async (bench) => {
      const peer = await connect(bench)
      const work = { agent: "always", input: { script: [["ask", "name"]] }, principal: "alice" }
      const { id } = await bench.run(bench.tasks.submit(work))
      const response = { action: "accept", content: { name: "Ada" }, by: "alice" } as const
      await bench.run(bench.tasks.respond({ id, key: "name", response }))
      const answer = { key: "name", content: { name: "Bob" } }
      const forked = (await operate(peer, "fork", { id, answer })).structuredContent
      const facts = await bench.run(bench.tasks.events({ task: forked.id, since: 0, limit: 10 }))
      const [reused] = facts.flatMap(({ event }) => event._tag === "StepReused" ? [event] : [])
      assert.deepInclude(reused, { key: "name", as: "answer", result: { ...response, content: answer.content } })
      assert.match(textOf(await operate(peer, "fork", { id, answer: { key: "name" } })), /answer.content: /)
      assert.match(
        textOf(await operate(peer, "fork", { id, answer: { key: "age", content: 1 } })),
        /no step, call or question "age"/
      )
      const unfit = await operate(peer, "fork", { id, answer: { key: "name", content: { name: 1 } } })
      assert.match(textOf(unfit), /The answer does not fit: name: /)
    })
  }

  story("knows no tasks of others", async (bench) => {
    const alice = await bench.modern()
    const id = idOf((await alice.tool("always", []).response).result)
    const bob = await bench.modern({ as: "bob" })
    assert.deepStrictEqual((await operate(bob, "list")).structuredContent, { runs: [] })
    for (const verb of ["inspect", "why", "steer", "cancel", "fork", "retry"]) {
      const theirs = await operate(bob, verb, { id })
      const nobodys = await operate(bob, verb, { id: "0".repeat(20) })
      assert.deepStrictEqual([theirs.isError, textOf(theirs)], [true, textOf(nobodys)], verb)
    }
    assert.match(textOf(await operate(bob, "inspect", { id: "x" })), /id: has to be a task's id/)
  })
})

describe("what runs leave behind", () => {
  story("is read as resources, by whose they are", async (bench) => {
    const alice = await bench.modern()
    const id = idOf((await alice.tool("always", [["complete", "done"]]).response).result)
    const bytes = new TextEncoder().encode("large")
    const digest = await bench.run(bench.tasks.putArtifact({ run: id, mediaType: "text/plain", bytes }))
    const uris = [`coppice://artifacts/${digest}`, `coppice://runs/${id}/transcript`]

    const [artifact, transcript] = await Promise.all(uris.map((uri) => alice.call("resources/read", { uri })))
    assert.deepStrictEqual(artifact.contents, [{ uri: uris[0], mimeType: "text/plain", text: "large" }])
    const facts = transcript.contents[0].text.split("\n").map((line: string) => JSON.parse(line).event._tag)
    assert.deepStrictEqual(facts, ["Created", "Completed"])

    const bob = await bench.modern({ as: "bob" })
    for (const uri of uris) assert.strictEqual((await bob.refused("resources/read", { uri })).code, -32602)
  })
})
