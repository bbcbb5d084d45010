/**
 * The person behind the inbox: reads every question that becomes durable, thinks, and answers, or does not.
 */
import type { TaskId } from "@coppice/task/Task"
import type { InputRequest, InputResponse } from "@coppice/task/TaskEvent"
import * as Effect from "effect/Effect"
import type { Json, JsonObject } from "effect/Schema"
import { Client, type Parts } from "./clients.ts"
import type { Dice } from "./dice.ts"
import { dice } from "./dice.ts"
import type { Foreign } from "./foreign.ts"
import type { Acted, Fact, Served } from "./history.ts"
import type { Injector } from "./injector.ts"
import type { Machine } from "./machine.ts"

/** A question as the person sees it. */
export interface Question {
  readonly node: string
  readonly task: TaskId
  readonly agent: string
  readonly request: InputRequest
  /** Of a question about the outcome of a step or a call: what was done under its idempotency key. */
  readonly done: ReadonlyArray<Acted | Served>
  /** How many questions came before this one, in the whole world. */
  readonly nth: number
}

/** What the person does about it; `undefined`: nothing, ever. */
export type Human = (question: Question, chance: Dice) =>
  | {
    readonly action: InputResponse["action"]
    readonly content?: Json | undefined
    readonly after?: number | undefined
  }
  | undefined

const sample = (schema: JsonObject | null, chance: Dice): Json => {
  const one = schema?.["enum"] ?? schema?.["const"]
  if (Array.isArray(one)) return one[0] as Json
  if (one !== undefined) return one
  switch (schema?.["type"]) {
    case "object": {
      const properties = (schema["properties"] ?? {}) as Record<string, JsonObject>
      return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, sample(property, chance)]))
    }
    case "boolean":
      return chance.chance(0.5)
    case "integer":
    case "number":
      return chance.below(100)
    case "array":
      return []
    default:
      return "an answer"
  }
}

/** Whoever is asked about the outcome has looked. */
const outcomeOf = (done: Question["done"]): Json => {
  const last = done.at(-1)
  if (last === undefined) return { outcome: "did_not_happen" }
  return { outcome: "did_happen", result: last._tag === "Served" ? JSON.stringify(last.value) : "null" }
}

/** Accepts with something that fits the form, now and then declines. */
export const anybody: Human = ({ done, request }, chance) =>
  chance.chance(0.15)
    ? { action: "decline" }
    : request.about === "outcome_unknown"
    ? { action: "accept", content: outcomeOf(done) }
    : { action: "accept", content: sample(request.schema, chance) }

/** Where things happen that a person can look at. */
interface Places {
  readonly machines: ReadonlyMap<string, Machine>
  readonly foreign: ReadonlyMap<string, Foreign>
}

/** No message is under way for longer, milliseconds; what is at work somewhere is waited for so long again and again. */
const patience = 12_000
const mostWaits = 50

export class Person {
  /** Answers that are still to come. */
  pending = 0
  private asked = 0
  private readonly parts: Parts
  private readonly client: Client
  private readonly injector: Injector
  private readonly places: Places
  private readonly human: Human
  private readonly chance: Dice

  constructor(parts: Parts, injector: Injector, places: Places, human: Human) {
    this.parts = parts
    this.client = new Client("human", parts)
    this.injector = injector
    this.places = places
    this.human = human
    this.chance = dice(parts.world.seed, "human")
  }

  hear(fact: Fact): void {
    const { envelope: { event } } = fact
    if (event._tag !== "InputRequested") return
    const nth = this.asked++
    const isAbroad = this.places.foreign.size > 0 && event.request.key.startsWith("outcome_unknown:remote:")
    if (isAbroad) this.watch(fact, event.request, nth, mostWaits)
    else this.consider(fact, event.request, nth)
  }

  /** Whether something happened elsewhere shows once nothing of it is under way. */
  private watch(fact: Fact, request: InputRequest, nth: number, left: number): void {
    this.pending++
    this.parts.world.after(this.client.process, patience, () => {
      this.pending--
      const { envelope: { task }, node } = fact
      const isBusy = [...this.places.foreign.values()].some(({ workshop }) => workshop.isBusyWith(node, task))
      if (isBusy && left > 0) this.watch(fact, request, nth, left - 1)
      else this.consider(fact, request, nth)
    })
  }

  private consider({ envelope: { task }, node }: Fact, request: InputRequest, nth: number): void {
    const row = this.places.machines.get(node)?.disk.rows.get(task)
    const done = this.doneUnder(/idempotency key is (\S+)$/.exec(request.message)?.[1], node)
    const question = { node, task, agent: row?.state.agent ?? "", request, nth, done }
    const answer = this.human(question, this.chance)
    if (answer === undefined || this.injector.nth("silent-human", nth) !== undefined) return
    const { action, after, content } = answer
    const thinks = (after ?? 10 + this.chance.next() ** 3 * 20_000) +
      (this.injector.nth("late-human", nth)?.millis ?? 0)
    const respond = (delay: number, by: string): void =>
      this.respond(question, { action, content: action === "accept" ? content ?? null : null, by }, delay)
    respond(thinks, "somebody")
    if (this.injector.nth("double-answer", nth) !== undefined) {
      respond(thinks + this.chance.next() * 20, "somebody else")
    }
  }

  private doneUnder(key: string | undefined, node: string): Question["done"] {
    if (key === undefined) return []
    const { history } = this.parts
    const served = history.of("Served").filter((one) =>
      one.phase === "happens" && one.task === key && one.node === node
    )
    return [...history.effects().filter((acted) => acted.key === key), ...served]
  }

  private respond({ node, request: { key }, task }: Question, response: InputResponse, delay: number): void {
    this.pending++
    const { world } = this.parts
    world.after(this.client.process, delay, () => {
      const told = this.client.tell(this.places.machines.get(node)!, { verb: "respond", task, key, response })
      Effect.runFork(told).addObserver(() => this.pending--)
    })
  }
}
