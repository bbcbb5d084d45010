/**
 * Tasks, facts and questions to draw.
 */
import type { Envelope, InputRequest, Task, TaskEvent, TaskId } from "@coppice/api/Api"
import type { JsonObject } from "effect/Schema"
import { type Line, plain } from "../../src/Line.ts"
import type { Asked } from "../../src/RunModel.ts"

/** Noon of some day, in the zone of whoever runs the test. */
export const noon: number = new Date(2026, 10, 21, 12, 0, 0).getTime()

const spec: Task["spec"] = {
  version: "1",
  principal: "local",
  idempotencyKey: null,
  depth: 0,
  priority: 0,
  ttl: null,
  retention: 1,
  budget: null,
  onParentExit: "stop",
  retryOf: null,
  trace: { traceId: "0".repeat(32), spanId: "0".repeat(16), parentSpanId: null },
  meta: null
}

type Parts = { -readonly [Key in keyof Task]?: Key extends "id" | "run" | "parent" ? string | null : Task[Key] }

/** A task that began ten seconds before noon. */
export const task = (id: string, parts: Parts = {}): Task =>
  ({
    id,
    run: id,
    parent: null,
    key: null,
    agent: "review",
    status: "working",
    statusMessage: null,
    reason: null,
    attempt: 1,
    progress: null,
    createdAt: noon - 10_000,
    updatedAt: noon,
    endedAt: null,
    deadline: null,
    settlement: null,
    settledAt: null,
    spec,
    ...parts
  }) as Task

/** The same task, ended at noon. */
export const ended = (id: string, parts: Parts = {}): Task =>
  task(id, { status: "completed", endedAt: noon, settlement: "finished_before", settledAt: noon, ...parts })

let seq = 0

export const fact = (id: string, event: TaskEvent, at = noon): Envelope => ({
  seq: ++seq,
  task: id as TaskId,
  run: "root" as TaskId,
  at,
  event
})

export const created = (id: string, agent: string, parent: string | null, at = noon - 10_000): Envelope =>
  fact(id, {
    _tag: "Created",
    run: "root" as TaskId,
    parent: parent as TaskId | null,
    key: null,
    agent,
    input: {},
    attempt: 1,
    deadline: null,
    spec
  }, at)

export const approval: JsonObject = {
  type: "object",
  properties: { approve: { type: "boolean" }, reason: { type: "string" } },
  required: ["approve"]
}

export const request = (message: string, schema: JsonObject | null = approval, key = "q1"): InputRequest => ({
  key,
  mode: "form",
  message,
  schema,
  url: null,
  deadline: null
})

/** Of a question nothing has happened to. */
export const untouched = (key = "q1") => ({
  standing: { key, reminded: 0, escalated: 0, votes: [], delegations: [], offers: [] },
  may: []
})

export const asked = (message: string, schema: JsonObject | null = approval): Asked => ({
  task: "t1",
  agent: "approve",
  since: noon - 120_000,
  request: request(message, schema)
})

/** The lines as a pipe gets them. */
export const texts = (lines: ReadonlyArray<Line>): ReadonlyArray<string> => lines.map(plain)

/** Keys by name, or a text letter by letter. */
export const key = (name: string, options: { readonly ctrl?: boolean; readonly shift?: boolean } = {}) => ({
  name,
  ctrl: options.ctrl === true,
  shift: options.shift === true,
  text: name.length === 1 && options.ctrl !== true ? name : name === "space" ? " " : ""
})

export const typed = (text: string) => Array.from(text, (letter) => letter === " " ? key("space") : key(letter))
