/**
 * `coppice run <agent|workflow>`: submits, follows to the end, prints the result. `coppice retry <id>` likewise.
 *
 * The result goes to the standard output, everything else to the error output.
 */
import type { Contract, Task } from "@coppice/api/Api"
import type { TaskResult } from "@coppice/api/TasksApi"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { askForm } from "../Ask.ts"
import { readBudget } from "../BudgetInput.ts"
import { Connection, now } from "../Connection.ts"
import { badInput, exitCodes, type Failure, silent } from "../Failure.ts"
import { fieldsOf } from "../Form.ts"
import { begin } from "../FormPrompt.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { readDuration, readJson } from "../Input.ts"
import { line, muted, span, strong } from "../Line.ts"
import { endLines, valueLines } from "../ResultLines.ts"
import { followRun } from "../RunFollower.ts"

export interface Options {
  readonly agent: string
  readonly input: string | undefined
  readonly detach: boolean
  readonly deadline: string | undefined
  readonly budget: string | undefined
  readonly key: string | undefined
  readonly json: boolean
}

export interface RetryOptions {
  readonly id: string
  readonly fresh: boolean
  readonly detach: boolean
  readonly json: boolean
}

export interface ForkOptions {
  readonly id: string
  readonly at: string | undefined
  readonly input: string | undefined
  readonly answer: string | undefined
  readonly detach: boolean
  readonly json: boolean
}

/** The input of an agent that wants one, asked field by field. */
const askInput = Effect.fnUntraced(function*({ description, input, name }: Contract): Effect.fn.Return<
  Json,
  Failure,
  Host
> {
  const request = {
    key: "input",
    mode: "form",
    message: description,
    schema: input,
    url: null,
    deadline: null
  } as const
  const asked = yield* askForm(begin({ task: "", agent: name, since: yield* now, request }, "input"))
  if (asked._tag === "Answer" && asked.action === "accept") return asked.content ?? {}
  return yield* silent(exitCodes.interrupted)
})

/** The given input; without one, the person is asked when the agent wants any. */
const inputOf = Effect.fnUntraced(function*({ agent, input }: Options) {
  if (input !== undefined) return yield* readJson(input, "--input")
  const { canAsk } = yield* Host
  if (!canAsk) return {}
  const { call, client } = yield* Connection
  const { agents } = yield* call(client.agents.list())
  const contract = agents.find(({ contract }) => contract.name === agent)?.contract
  return contract === undefined || fieldsOf(contract.input).length === 0 ? {} : yield* askInput(contract)
})

const submit = Effect.fnUntraced(function*(options: Options) {
  const { call, client } = yield* Connection
  const { agent, deadline, key } = options
  const budget = options.budget === undefined ? undefined : yield* readBudget(options.budget)
  if (key === "") return yield* badInput("--key must not be empty")
  const within = deadline === undefined ? undefined : yield* readDuration(deadline, "--deadline")
  const input = yield* inputOf(options)
  const payload = {
    agent,
    input,
    ...(within === undefined ? {} : { deadline: Math.ceil((yield* now) + within) }),
    ...(budget === undefined ? {} : { budget }),
    ...(key === undefined ? {} : { idempotencyKey: key })
  }
  return yield* call(client.tasks.submit({ payload }))
})

/** A submitted task that nobody waits for: its id, and how to find it again. */
const tellDetached = Effect.fnUntraced(function*(task: Task, json: boolean) {
  const { err, out } = yield* Host
  if (json) return writeJson(out, task)
  out.write(`${task.id}\n`)
  if (err.isTty) writeLines(err, [line(muted(`  watch it: coppice watch ${task.id}`))])
})

/** Prints how it ended; anything but a completed task is the failure 1. */
const tellEnd = Effect.fnUntraced(function*(result: TaskResult, json: boolean) {
  const { err, out } = yield* Host
  const { completed } = result
  if (json) writeJson(out, result)
  else writeLines(err, endLines(result).slice(err.isTty ? 1 : 0)) // the picture has said the first line
  if (completed === null) return yield* silent(exitCodes.failedTask)
  if (json) return
  if (out.isTty) writeLines(out, valueLines(completed.output))
  else writeJson(out, completed.output)
})

const toTheEnd = Effect.fnUntraced(function*(task: Task, json: boolean) {
  const { err } = yield* Host
  if (!json) writeLines(err, [line(span("● ", "busy"), strong(task.agent), muted(`  ${task.id}`))])
  return yield* tellEnd(yield* followRun({ id: task.id, isQuiet: json && !err.isTty }), json)
})

export const run = Effect.fn("run")(function*(options: Options) {
  const task = yield* submit(options)
  return yield* options.detach ? tellDetached(task, options.json) : toTheEnd(task, options.json)
})

/** `key=JSON`, or JSON alone when `--at` names the question. */
const readAnswer = Effect.fnUntraced(function*({ answer, at }: ForkOptions) {
  if (answer === undefined) return undefined
  const [, key = at, json = answer] = /^([^={["]+)=(.*)$/s.exec(answer) ?? []
  if (key === undefined) return yield* badInput("--answer needs the question's key", "--answer <key>=<JSON>")
  return { key, content: yield* readJson(json, "--answer") }
})

export const fork = Effect.fn("fork")(function*(options: ForkOptions) {
  const { at, detach, id, input, json } = options
  const { call, client } = yield* Connection
  const answer = yield* readAnswer(options)
  const payload = {
    ...at === undefined ? {} : { at },
    ...input === undefined ? {} : { input: yield* readJson(input, "--input") },
    ...answer === undefined ? {} : { answer }
  }
  const task = yield* call(client.tasks.fork({ params: { id }, payload }))
  return yield* detach ? tellDetached(task, json) : toTheEnd(task, json)
})

export const retry = Effect.fn("retry")(function*({ detach, fresh, id, json }: RetryOptions) {
  const { call, client } = yield* Connection
  const task = yield* call(client.tasks.retry({ params: { id }, query: { fresh } }))
  return yield* detach ? tellDetached(task, json) : toTheEnd(task, json)
})
