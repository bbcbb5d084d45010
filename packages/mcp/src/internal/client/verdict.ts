/**
 * What the end of a remote call means for the task that made it.
 */
import type { Amounts } from "@coppice/task/Budget"
import { Refusal } from "@coppice/task/Lineage"
import { check } from "@coppice/task/Payload"
import type { FailureReason } from "@coppice/task/Task"
import type { Command } from "@coppice/task/TaskMachine"
import * as Schema from "effect/Schema"
import * as Meta from "../../Meta.ts"
import type { McpError } from "./errors.ts"
import { code } from "./meta.ts"
import { isObject, textAt } from "./rpc.ts"
import { type CallResult, type TaskEnd, toCallResult } from "./task.ts"

type Json = Schema.Json

/** How an attempt ended. */
export type Verdict =
  | {
    readonly _tag: "End"
    readonly command: Command
    /** What the server says it has used of the budget; `undefined` when nobody tells. */
    readonly used?: Amounts | undefined
    /** What the task there had put down as its result so far. */
    readonly partial?: Json | undefined
  }
  /** Worth another attempt, no sooner than after `delay` milliseconds. */
  | { readonly _tag: "Again"; readonly message: string; readonly delay: number }

export interface Judge {
  readonly agent: string
  readonly server: string
  readonly tool: string
  /** The server is a Coppice we know: what it says of a failure is believed. */
  readonly isCoppice: boolean
  /** Turns a result into the agent's output, or says why it is none. */
  readonly output: (result: CallResult) => { readonly value: Json } | { readonly problem: string }
  /** Its output has a schema of ours: a value that somebody states is that output, not a tool's result. */
  readonly isTyped: boolean
}

const longest = 1_000

export const failed = (attempt: number, reason: FailureReason, message: string, error: Json = null): Verdict => ({
  _tag: "End",
  command: { _tag: "Fail", attempt, reason, message: message.slice(0, longest), error }
})

const firstText = (content: ReadonlyArray<Json>): string | undefined => {
  for (const block of content) {
    const text = textAt(block, "text")
    if (text !== undefined && text !== "") return text
  }
  return undefined
}

const completed = (judge: Judge, attempt: number, result: CallResult): Verdict => {
  const where = `Server "${judge.server}", tool "${judge.tool}"`
  if (result.isError) {
    const message = firstText(result.content) ?? `${where} failed without a message`
    const error = { _tag: "RemoteFailure", message, content: result.content }
    const tooLarge = check(`The error of "${judge.agent}"`, error)
    return tooLarge === undefined
      ? failed(attempt, "agent_error", message, error)
      : failed(attempt, "defect", tooLarge.message)
  }
  const output = fitting(judge, result)
  return "value" in output
    ? { _tag: "End", command: { _tag: "Complete", attempt, result: output.value } }
    : failed(attempt, "defect", `${where}: its result does not fit: ${output.problem}`)
}

/** The agent's output in a result, if there is one in it that may be kept. */
export const fitting = (judge: Judge, result: CallResult): ReturnType<Judge["output"]> => {
  const output = judge.output(result)
  if ("problem" in output) return output
  const tooLarge = check(`The output of "${judge.agent}"`, output.value)
  return tooLarge === undefined ? output : { problem: tooLarge.message }
}

/** What a result may stand for, best first: structured content, or the one text, as JSON or as it is. */
export const readings = ({ content, structuredContent }: CallResult): ReadonlyArray<Json> => {
  if (structuredContent !== undefined) return [structuredContent]
  // `null` has no words
  if (content.length === 0) return [null]
  const text = content.length === 1 ? textAt(content[0], "text") : undefined
  if (text === undefined) return []
  try {
    return [JSON.parse(text) as Json, text]
  } catch {
    return [text]
  }
}

/** What somebody states a call returned, as the tool would have returned it. */
export const stated = ({ isTyped }: Judge, value: Json): CallResult => {
  const result = !isTyped && isObject(value) ? toCallResult(value) : undefined
  if (result !== undefined) return { ...result, isError: false }
  const bare = { isError: false, meta: {}, structuredContent: undefined }
  if (isTyped || isObject(value)) return { ...bare, content: [], structuredContent: value }
  if (value === null) return { ...bare, content: [] }
  return { ...bare, content: [{ type: "text", text: typeof value === "string" ? value : JSON.stringify(value) }] }
}

/** Limits that travel with a call: what passed one of them there has passed it here. */
const limits: ReadonlyArray<FailureReason> = ["budget", "deadline"]

/** What a server says of a failure. */
interface Told {
  readonly message: string
  readonly data: Json | undefined
  readonly error?: Json
}

/** Another Coppice says when it was a limit; what else went wrong there, and what strangers say, is a defect here. */
const faulted = (
  judge: Judge,
  attempt: number,
  { data, error = null, message }: Told
): Verdict => {
  const said = judge.isCoppice && isObject(data) ? data : undefined
  const reason = limits.find((limit) => limit === said?.["reason"]) ?? "defect"
  return {
    ...failed(attempt, reason, message, error),
    used: Meta.readUsage(said),
    partial: said?.["partial"]
  } as Verdict
}

/** The verdict on a task or call that ended. */
export const onEnd = (judge: Judge, attempt: number, end: TaskEnd): Verdict => {
  switch (end._tag) {
    case "Completed":
      return { ...completed(judge, attempt, end.result), used: Meta.readUsage(end.result.meta) } as Verdict
    case "Failed": {
      const { data, message } = end.fault
      const where = `Server "${judge.server}", tool "${judge.tool}"`
      return faulted(judge, attempt, { message: `${where}: ${message} (JSON-RPC ${end.fault.code})`, data })
    }
    case "Cancelled": {
      const reason = end.message ?? "The server cancelled the task"
      return { _tag: "End", command: { _tag: "Cancel", by: `server ${judge.server}`, reason } }
    }
  }
}

/** The verdict on an error that is final. */
export const onError = (judge: Judge, attempt: number, error: McpError): Verdict =>
  faulted(judge, attempt, {
    message: `Tool "${judge.tool}": ${error.message}`,
    data: error.reason._tag === "Rpc" ? error.reason.data : undefined,
    error: refusalIn(error)
  })

/** The server's own trouble: it tells nothing about the call, which may be under way. The end of a task has a reason. */
export const isTrouble = ({ reason }: McpError): boolean =>
  reason._tag === "Rpc" && reason.code === code.internal && !(isObject(reason.data) && "reason" in reason.data)

/** What a Coppice that did not take the call says of it: the caller's own code gets it as it is. */
const refusalIn = ({ reason }: McpError): Json => {
  const refusal = reason._tag === "Rpc" && isObject(reason.data) ? reason.data[Meta.refusal] : undefined
  return refusal !== undefined && Schema.is(Refusal)(refusal) ? refusal : null
}

/** What a plain result is to an agent without an output schema. */
export const plainOutput = (result: CallResult): { readonly value: Json } => ({
  value: isObject(result.structuredContent) ? result.structuredContent : { content: result.content }
})

/** A result passed on whole. */
export const wholeOutput = ({ content, structuredContent }: CallResult): { readonly value: Json } => ({
  value: { content, ...structuredContent === undefined ? {} : { structuredContent } }
})
