import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { Task, type TaskId } from "../src/Task.ts"
import { Envelope, isEnding, TaskEvent } from "../src/TaskEvent.ts"
import { replay } from "../src/TaskMachine.ts"
import { Ledger } from "../src/testing/Ledger.ts"
import * as TaskArbitrary from "../src/testing/TaskArbitrary.ts"
import { runs } from "./support/runs.ts"

const decode = Schema.decodeUnknownSync(Schema.toCodecJson(Envelope), { onExcessProperty: "error" })
const encode = Schema.encodeSync(Schema.toCodecJson(Envelope))
const decodeTask = Schema.decodeUnknownSync(Schema.toCodecJson(Task))

const lines = (name: string): ReadonlyArray<unknown> =>
  readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8").trim().split("\n").map((line) => JSON.parse(line))

/** Whether it is one of the tags the union knows. */
const tags = Object.keys(TaskEvent.cases)

// a release that writes other facts adds its own pair of files; those of earlier releases never change
const releases = ["1", "2", "3", "4"]

it("every fact is among those that were written", () => {
  const written = releases.flatMap((release) => lines(`events-${release}.jsonl`))
  assert.sameMembers([...new Set(written.map((event) => decode(event).event._tag))], tags)
})

describe.each(releases)("facts written by release %s (case 11)", (release) => {
  const events = lines(`events-${release}.jsonl`)

  it("decode, and mean what they meant", () => {
    for (const event of events) assert.deepStrictEqual(decode(event), event as Envelope)
  })

  it("replay to the same tasks", () => {
    const histories = Map.groupBy(events.map((event) => decode(event)), ({ task }) => task)
    const tasks = [...histories].map(([id, history]) => replay(id, history))
    assert.deepStrictEqual(tasks, lines(`tasks-${release}.jsonl`) as typeof tasks)
    for (const task of tasks) assert.deepStrictEqual(decodeTask(task).id, task!.id)
  })
})

describe("a fact", () => {
  it.prop("survives its encoding", [TaskArbitrary.life], ([commands]) => {
    const ledger = new Ledger({ seq: 0, epoch: 1 })
    const id: TaskId = ledger.create()
    for (const command of commands) ledger.apply(id, command)
    for (const envelope of ledger.events) {
      assert.deepStrictEqual(decode(JSON.parse(JSON.stringify(encode(envelope)))), envelope)
      assert.deepStrictEqual(encode(envelope), envelope)
    }
  }, { arbitrary: { runs: runs(100) } })

  it("ends a task or not", () =>
    assert.deepStrictEqual(Object.keys(TaskEvent.cases).filter((tag) => isEnding(tag as TaskEvent["_tag"])), [
      "Completed",
      "Failed",
      "Cancelled"
    ]))
})
