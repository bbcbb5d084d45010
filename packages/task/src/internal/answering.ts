/**
 * Answers, delegations and offers, as they are applied: the question is brought up to date first, then rights are
 * looked up, then the answer is checked against the form.
 */
import * as Effect from "effect/Effect"
import { checkAnswer, InvalidAnswer } from "../Form.ts"
import { check } from "../Payload.ts"
import { answerers, mayAnswer, owner, type Person } from "../People.ts"
import { isTerminal, type TaskId } from "../Task.ts"
import { AlreadyAnswered, InvalidDelegate, NotEntitled, TaskNotFound } from "../TaskError.ts"
import type { InputRequest, InputResponse } from "../TaskEvent.ts"
import type { Entry, TaskLog } from "../TaskLog.ts"
import { type Command, Refused } from "../TaskMachine.ts"
import type { Answer, Delegation, Tasks } from "../Tasks.ts"
import type { StoreError, TaskStore } from "../TaskStore.ts"
import { dueAt, openInput, standingOf } from "./asking.ts"
import { span } from "./span.ts"

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
  readonly people: ReadonlyMap<string, Person>
}

/** The question that is meant. */
const keyOf = (entry: Entry, named: string | undefined): Effect.Effect<string, InvalidAnswer> => {
  const { inputs } = entry.state
  if (named !== undefined || inputs.length <= 1) return Effect.succeed(named ?? inputs[0]?.key ?? "")
  const keys = inputs.map((input) => `"${input.key}"`).join(", ")
  return Effect.fail(
    new InvalidAnswer({ message: `The task asks ${inputs.length} questions; name one of ${keys}` })
  )
}

/** The answer as it is recorded: the owner is one person, whichever door they came through. */
const checkedResponse = Effect.fnUntraced(function*(request: InputRequest, isOwner: boolean, response: InputResponse) {
  const content = response.action === "accept" ? response.content : null
  const tooLarge = check("The answer", content)
  if (tooLarge !== undefined) return yield* new InvalidAnswer({ message: tooLarge.message })
  if (request.mode === "form" && response.action === "accept") {
    yield* Effect.fromResult(checkAnswer(request.schema, content))
  }
  const isVote = (request.policy?.quorum ?? 1) > 1
  return { ...response, content, by: isOwner && isVote ? owner : response.by }
})

/** A question that is meant, of a task in memory. */
interface Meant {
  readonly entry: Entry
  readonly key: string
}

/** The question as it stands now: what is due of it by now has happened. */
const current = ({ log }: Services, { entry, key }: Meant): InputRequest | undefined => {
  const request = openInput(entry.state, key)
  if (request === undefined) return undefined
  const now = log.now()
  if (dueAt(request, standingOf(entry.state, key)) <= now) log.dispatch(entry, { _tag: "TendInput", key, now })
  return openInput(entry.state, key)
}

/** Why there is nothing to answer: who was faster, or that it was never asked. Facts a refusal tells of are durable. */
const closed = Effect.fnUntraced(function*(
  { log, store }: Services,
  { entry, key }: Meant,
  command: "Respond" | "Delegate"
) {
  const { id, status } = entry.state
  yield* log.barrier
  const events = (yield* store.journal(id))?.events ?? []
  const last = events.findLast(({ event }) => {
    if (event._tag === "InputReceived") return key === "" || event.key === key
    return event._tag === "InputRequested" && event.request.key === key ||
      event._tag === "InputWithdrawn" && event.key === key
  })
  if (last?.event._tag === "InputReceived") {
    const { key, response: { action, by } } = last.event
    return yield* new AlreadyAnswered({ task: id, key, by, at: last.at, action })
  }
  const reason = isTerminal(status) ? { _tag: "AlreadyEnded", status } as const : { _tag: "UnknownInput", key } as const
  return yield* new Refused({ task: id, command, reason })
})

/** Refuses whoever may not answer. */
const entitled = (
  { people }: Services,
  { entry, key }: Meant,
  { by, isOwner, request }: Pick<Delegation, "by" | "isOwner"> & { readonly request: InputRequest }
): Effect.Effect<void, NotEntitled> => {
  const isForClient = request.mode === "sampling" || request.mode === "roots"
  if (isOwner === true || people.size === 0 || isForClient) return Effect.void
  const standing = standingOf(entry.state, key)
  const person = people.get(by)
  if (person !== undefined && mayAnswer(person, request, standing)) return Effect.void
  const may = answerers(people, request, standing)
  return Effect.fail(new NotEntitled({ task: entry.state.id, key, by, may }))
}

/** Applies a command; its facts, or those its refusal tells of, are durable when this returns. */
const applied = Effect.fnUntraced(function*({ log }: Services, entry: Entry, command: Command) {
  const decided = log.dispatch(entry, command)
  const { state } = entry
  yield* log.barrier
  yield* Effect.fromResult(decided)
  return state
})

const responded = Effect.fnUntraced(function*(services: Services, entry: Entry, { isOwner, key, response }: Answer) {
  const meant = { entry, key: yield* keyOf(entry, key) }
  const request = current(services, meant)
  if (request === undefined) return yield* closed(services, meant, "Respond")
  yield* entitled(services, meant, { by: response.by, isOwner, request })
  const checked = yield* checkedResponse(request, isOwner === true, response)
  return yield* applied(services, entry, { _tag: "Respond", key: meant.key, response: checked })
})

const delegated = Effect.fnUntraced(function*(services: Services, entry: Entry, { by, isOwner, key, to }: Delegation) {
  const { people } = services
  const meant = { entry, key: yield* keyOf(entry, key) }
  const request = current(services, meant)
  if (request === undefined) return yield* closed(services, meant, "Delegate")
  yield* entitled(services, meant, { by, isOwner, request })
  if (people.get(to)?.may.includes("approve") !== true) {
    const may = [...people.values()].filter((person) => person.may.includes("approve")).map(({ name }) => name)
    return yield* new InvalidDelegate({ to, may })
  }
  return yield* applied(services, entry, { _tag: "Delegate", key: meant.key, by: isOwner === true ? owner : by, to })
})

/** Runs with the task in memory. */
const using = <A, E>({ log }: Services, id: TaskId, use: (entry: Entry) => Effect.Effect<A, E | StoreError>) => {
  if (log.trouble !== undefined) return Effect.fail(log.trouble)
  return Effect.acquireUseRelease(
    log.acquire(id),
    (entry): Effect.Effect<A, E | StoreError | TaskNotFound> =>
      entry === undefined ? Effect.fail(new TaskNotFound({ id })) : use(entry),
    (entry) => Effect.sync(() => entry === undefined ? undefined : log.release(entry))
  )
}

export const make = (services: Services): Pick<Tasks["Service"], "respond" | "delegate" | "offered"> => ({
  respond: Effect.fnUntraced(function*(answer) {
    return yield* using(services, answer.id, (entry) => responded(services, entry, answer))
  }, span("Tasks.respond")),

  delegate: Effect.fnUntraced(function*(request) {
    return yield* using(services, request.id, (entry) => delegated(services, entry, request))
  }, span("Tasks.delegate")),

  offered: ({ id, key, offer }) =>
    using(services, id, (entry) =>
      Effect.suspend(() => {
        services.log.dispatch(entry, { _tag: "OfferInput", key, offer })
        return services.log.barrier
      })).pipe(Effect.catchTag("TaskNotFound", () => Effect.void))
})
