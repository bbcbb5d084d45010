/**
 * What `coppice dev` tells and does beside the rest: how the last reload went, tasks that no longer fit the code, and
 * faults on demand. Every other service answers 404 (`not_in_dev`).
 */
import { TaskId } from "@coppice/task/Task"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { BadRequest, Conflict, NotFound } from "./ApiError.ts"
import { Authorization } from "./Authorization.ts"

/** Why the code on disk is not the code that runs. `line` and `column` count from 1. */
export const DevProblem = Schema.Struct({
  at: Schema.Finite,
  message: Schema.String,
  /** Relative to the folder of the configuration; `null` when no file is known. */
  file: Schema.NullOr(Schema.String),
  line: Schema.NullOr(Schema.Int),
  column: Schema.NullOr(Schema.Int),
  /** The line of the file, as it stands there. */
  excerpt: Schema.NullOr(Schema.String)
})
export type DevProblem = typeof DevProblem.Type

/** A difference between the contracts of before and of now. `breaks`: who worked with the old one may fail. */
export const ContractChange = Schema.Struct({
  agent: Schema.String,
  part: Schema.Literals(["agent", "input", "output", "error"]),
  path: Schema.String,
  breaks: Schema.Boolean,
  message: Schema.String
})
export type ContractChange = typeof ContractChange.Type

const Names = Schema.Array(Schema.String)

/** One reload. */
export const Reload = Schema.Struct({
  at: Schema.Finite,
  /** From the change of the file to the moment from which tasks run the new code. */
  millis: Schema.Finite,
  /** The files that changed, relative to the folder of the configuration. */
  files: Names,
  /** Agents, and foreign servers as `server:<name>`. */
  added: Names,
  changed: Names,
  removed: Names,
  contracts: Schema.Array(ContractChange),
  /** Options of the configuration that changed and that only a new start takes up. */
  restart: Names
})
export type Reload = typeof Reload.Type

/** A task that is parked because the code has changed under it; it is answered like any question of the inbox. */
export const Outgrown = Schema.Struct({
  task: TaskId,
  run: TaskId,
  agent: Schema.String,
  /** The question's key. */
  key: Schema.String,
  since: Schema.Finite,
  /** What differs, and what each choice does, as lines. */
  message: Schema.String,
  /** Some of `continue`, `migrate`, `restart`, `stop`: the answer is `{ action: "accept", content: { choice } }`. */
  choices: Names
})
export type Outgrown = typeof Outgrown.Type

const Millis = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3_600_000 }))
const Times = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))

/** A server of the configuration by its name, or a host such as `api.example.com` or `127.0.0.1:8080`. */
const Target = Schema.NonEmptyString

/** The server of an agent dies by a defect, as its supervisor sees it. */
export const KillWorker = Schema.Struct({ kind: Schema.Literal("kill-worker"), agent: Schema.String })

/** SIGKILL; the process is started again. */
export const KillProcess = Schema.Struct({ kind: Schema.Literal("kill-process") })

/** Every request to the target begins so much later. */
export const Delay = Schema.Struct({ kind: Schema.Literal("delay"), target: Target, millis: Millis })

/** The next requests to the target are answered 429 with `Retry-After`, in seconds, and do not reach it. */
export const TooMany = Schema.Struct({
  kind: Schema.Literal("too-many-requests"),
  target: Target,
  /** How many. [1] */
  times: Schema.optionalKey(Times),
  /** Seconds. [1] */
  retryAfter: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3_600 })))
})

/** For so many milliseconds no request reaches the target, and what is open is cut. */
export const DropNetwork = Schema.Struct({ kind: Schema.Literal("drop-network"), target: Target, millis: Millis })

/** The next requests with a body reach the target twice; the second answer is thrown away. */
export const Duplicate = Schema.Struct({
  kind: Schema.Literal("duplicate"),
  target: Target,
  /** How many. [1] */
  times: Schema.optionalKey(Times)
})

/** The clock of the service goes ahead, for good: timers, deadlines and reminders of that time are due. */
export const Jump = Schema.Struct({
  kind: Schema.Literal("jump"),
  millis: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 366 * 86_400_000 }))
})

/** What can be made to go wrong. */
export const FaultRequest = Schema.Union([KillWorker, KillProcess, Delay, TooMany, DropNetwork, Duplicate, Jump])
export type FaultRequest = typeof FaultRequest.Type

/** A fault that was asked for. */
export const Fault = Schema.Struct({
  id: Schema.String,
  at: Schema.Finite,
  request: FaultRequest,
  /** In words. */
  text: Schema.String,
  /** `active`: it still strikes. `over`: it has done what it was to do. `cleared`: it was taken back before that. */
  state: Schema.Literals(["active", "over", "cleared"]),
  /** How often it has struck. */
  struck: Schema.Int,
  /** When it ends by itself. */
  until: Schema.NullOr(Schema.Finite),
  /** TypeScript that does the same in a test, to copy. */
  test: Schema.String
})
export type Fault = typeof Fault.Type

/** The state of `coppice dev`. */
export const DevStatus = Schema.Struct({
  config: Schema.String,
  startedAt: Schema.Finite,
  /** How many since the start. */
  reloads: Schema.Int,
  last: Schema.NullOr(Reload),
  /** Set while the code on disk cannot run; the code of before runs on. */
  problem: Schema.NullOr(DevProblem),
  outgrown: Schema.Array(Outgrown),
  /** What time it is for the service, and how far that is ahead. Milliseconds. */
  clock: Schema.Struct({ now: Schema.Finite, ahead: Schema.Finite }),
  /** Newest first, 100 at most. */
  faults: Schema.Array(Fault),
  /** What faults can be aimed at; `hosts` are those that were called since the start. */
  targets: Schema.Struct({ agents: Names, servers: Names, hosts: Names })
})
export type DevStatus = typeof DevStatus.Type

const status = HttpApiEndpoint.get("status", "/dev", { success: DevStatus, error: NotFound })

const fault = HttpApiEndpoint.post("fault", "/dev/faults", {
  payload: FaultRequest,
  success: Fault,
  error: [BadRequest, NotFound]
})

const clear = HttpApiEndpoint.delete("clear", "/dev/faults/:id", {
  params: { id: Schema.String },
  success: Fault,
  error: [NotFound, Conflict]
})

const clearAll = HttpApiEndpoint.delete("clearAll", "/dev/faults", {
  success: HttpApiSchema.NoContent,
  error: NotFound
})

/** The group `dev`. */
export class DevApi extends HttpApiGroup.make("dev")
  .add(status, fault, clear, clearAll)
  .middleware(Authorization)
  .prefix("/api/v1")
{}
