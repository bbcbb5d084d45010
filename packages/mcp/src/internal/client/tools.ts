/**
 * What tools a server has, once a connection: a call needs to know whether a tool wants to be a task, and which of its
 * arguments are repeated in headers.
 *
 * Schemas are taken as they are and never followed: a `$ref` to elsewhere is text. A tool whose definition breaks a rule
 * is left out, and the log says why.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Connection } from "./Connection.ts"
import type { McpError } from "./errors.ts"
import { type HeaderMark, headerMarks } from "./headers.ts"
import { isObject, type JsonObject, textAt } from "./rpc.ts"

/** A tool of a server. */
export interface Tool {
  readonly name: string
  readonly title: string | undefined
  readonly description: string
  readonly inputSchema: JsonObject
  readonly outputSchema: JsonObject | undefined
  /** 2025-11-25: whether it can, or must, be called as a task. 2026-07-28 has no such hint. */
  readonly taskSupport: "forbidden" | "optional" | "required"
  readonly annotations: JsonObject
  readonly marks: ReadonlyArray<HeaderMark>
}

/** Pages of a list, and tools altogether, before it is cut off. */
const maxPages = 1_000
const maxTools = 10_000

const supportOf = (value: string | undefined): Tool["taskSupport"] =>
  value === "optional" || value === "required" ? value : "forbidden"

/** The tool in an entry of `tools/list`, or why it cannot be used. */
const toTool = (entry: unknown): Tool | string => {
  const name = textAt(entry, "name")
  if (!isObject(entry) || name === undefined) return "it has no name"
  const { annotations, inputSchema, outputSchema } = entry
  if (!isObject(inputSchema)) return `"${name}" has no input schema`
  const marks = headerMarks(inputSchema)
  if (marks === undefined) return `"${name}" marks arguments for headers against the rules`
  return {
    name,
    title: textAt(entry, "title"),
    description: textAt(entry, "description") ?? "",
    inputSchema,
    outputSchema: isObject(outputSchema) ? outputSchema : undefined,
    taskSupport: supportOf(textAt(entry, "execution", "taskSupport")),
    annotations: isObject(annotations) ? annotations : {},
    marks
  }
}

/** Every entry of a paged list. */
const listAll = (
  connection: Connection,
  { key, method, timeout }: { readonly key: string; readonly method: string; readonly timeout: number }
): Effect.Effect<ReadonlyArray<unknown>, McpError> =>
  Effect.gen(function*() {
    const all: Array<unknown> = []
    let cursor: string | undefined
    for (let page = 0; page < maxPages && all.length < maxTools; page++) {
      const reply = yield* connection.request(method, cursor === undefined ? {} : { cursor }, { timeout })
      const entries = reply[key]
      if (!Array.isArray(entries)) {
        return yield* connection.fail(method, { _tag: "InvalidReply", detail: `"${key}" is missing` })
      }
      for (const entry of entries) all.push(entry)
      const next = textAt(reply, "nextCursor")
      if (next === undefined || next === cursor) break
      cursor = next
    }
    return all
  })

/** The tools of one connection, listed once until the server says they have changed. */
export class Tools {
  private readonly known = new WeakMap<Connection, ReadonlyMap<string, Tool>>()
  private readonly lock = Semaphore.makeUnsafe(1)
  private readonly timeout: number
  /** Connections that were asked again, once, for a tool they did not list. */
  private readonly missed = new WeakSet<Connection>()

  constructor(timeout: number) {
    this.timeout = timeout
  }

  forget(connection: Connection): void {
    this.known.delete(connection)
    this.missed.delete(connection)
  }

  of(connection: Connection): Effect.Effect<ReadonlyMap<string, Tool>, McpError> {
    return Effect.suspend(() => {
      const known = this.known.get(connection)
      if (known !== undefined) return Effect.succeed(known)
      return this.lock.withPermit(Effect.suspend(() => {
        const listed = this.known.get(connection)
        return listed === undefined ? this.list(connection) : Effect.succeed(listed)
      }))
    })
  }

  /** One tool; a server may add some late, so what is not known is asked for again. */
  find(connection: Connection, name: string): Effect.Effect<Tool | undefined, McpError> {
    return Effect.flatMap(this.of(connection), (tools) => {
      const tool = tools.get(name)
      if (tool !== undefined || this.missed.has(connection)) return Effect.succeed(tool)
      this.forget(connection)
      this.missed.add(connection)
      return Effect.map(this.of(connection), (again) => again.get(name))
    })
  }

  private list(connection: Connection): Effect.Effect<ReadonlyMap<string, Tool>, McpError> {
    return Effect.gen({ self: this }, function*() {
      const tools = new Map<string, Tool>()
      const entries = connection.agreement.capabilities["tools"] === undefined
        ? []
        : yield* listAll(connection, { key: "tools", method: "tools/list", timeout: this.timeout })
      for (const entry of entries) {
        const tool = toTool(entry)
        if (typeof tool !== "string") tools.set(tool.name, tool)
        else yield* Effect.logWarning(`A tool of server "${connection.server}" is left out: ${tool}`)
      }
      this.known.set(connection, tools)
      return tools
    })
  }
}
