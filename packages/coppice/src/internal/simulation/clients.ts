/**
 * Programs that use the verbs of a node over the network, and remember what they were told.
 */
import type { TaskId } from "@coppice/task/Task"
import { type Answer, Tasks } from "@coppice/task/Tasks"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Json } from "effect/Schema"
import type { History, Reply, Wish } from "./history.ts"
import type { Machine } from "./machine.ts"
import type { Network } from "./network.ts"
import type { Process, World } from "./world.ts"

/** After this long without a reply a client gives up, milliseconds. */
const patience = 30_000

export interface Parts {
  readonly world: World
  readonly history: History
  readonly network: Network
}

/** What is done again when it is asked for again. */
const once: ReadonlySet<Wish["verb"]> = new Set(["steer", "retry", "fork"])

const verbOf = (wish: Wish, by: string): Effect.Effect<Reply, unknown, Tasks> =>
  Effect.flatMap(Tasks, (tasks): Effect.Effect<Reply, unknown> => {
    const asTask = ({ id, status }: { readonly id: TaskId; readonly status: string }): Reply => ({
      _tag: "Task",
      task: id,
      status
    })
    switch (wish.verb) {
      case "submit":
        return Effect.map(
          tasks.submit({
            agent: wish.agent,
            input: wish.input as Json,
            principal: wish.principal,
            idempotencyKey: wish.key
          }),
          asTask
        )
      case "get":
        return Effect.map(tasks.get(wish.task), asTask)
      case "result":
        return Effect.map(
          tasks.result(wish.task),
          ({ ending, task }): Reply => ({ _tag: "Ending", task: task.id, event: ending })
        )
      case "respond":
        return Effect.map(
          tasks.respond({ id: wish.task, key: wish.key, response: wish.response } satisfies Answer),
          asTask
        )
      case "cancel":
        return Effect.map(
          tasks.cancel({ id: wish.task, by }),
          (report): Reply => ({ _tag: "Report", task: wish.task, report })
        )
      case "steer":
        return Effect.map(tasks.steer({ ...wish.steering, id: wish.task, by }), asTask)
      case "retry":
        return Effect.map(tasks.retry(wish.task, { fresh: wish.fresh }), asTask)
      case "fork":
        return Effect.map(tasks.fork({ id: wish.task, by: "local", at: wish.place }), asTask)
      case "cancelReport":
        return Effect.map(
          tasks.cancelReport(wish.task),
          (report): Reply => ({ _tag: "Report", task: wish.task, report })
        )
    }
  })

const refusalOf = (cause: Cause.Cause<unknown>): Reply => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  const tag = typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "defect"
  // the engine was going away: nobody knows what became of it
  if (error === undefined || tag === "StoreError") return { _tag: "Unknown", why: tag }
  return { _tag: "Refused", error: tag, detail: error instanceof Error ? error.message : tag }
}

export class Client {
  readonly name: string
  readonly process: Process
  private readonly parts: Parts

  constructor(name: string, parts: Parts) {
    this.name = name
    this.parts = parts
    this.process = parts.world.process(name)
  }

  /** Asks once. */
  ask(machine: Machine, wish: Wish): Effect.Effect<Reply> {
    const { history, network, world } = this.parts
    return Effect.callback<Reply>((resume) => {
      let isOver = false
      const told = (reply: Reply, durable: number): void => {
        if (isOver) return
        isOver = true
        machine.mourners.delete(reset)
        history.add({ _tag: "Told", at: world.elapsed, client: this.name, node: machine.name, wish, durable, reply })
        resume(Effect.succeed(reply))
      }
      const unknown = (why: string) => told({ _tag: "Unknown", why }, 0)
      const reset = (): void => void world.after(this.process, 1 + world.chance.next() * 20, () => unknown("reset"))
      history.add({ _tag: "Asked", at: world.elapsed, client: this.name, node: machine.name, wish })
      machine.mourners.add(reset)
      const reply = (reply: Reply, sender: Process): void => {
        // what a dead process says is not heard
        if (!sender.isAlive) return
        const durable = machine.disk.seq
        network.send({
          from: machine.name,
          to: "clients",
          sender: this.process,
          receiver: () => this.process,
          failed: unknown,
          deliver: () => told(reply, durable)
        })
      }
      network.send({
        from: "clients",
        to: machine.name,
        sender: this.process,
        receiver: () => machine.isServing ? machine.process : undefined,
        repeatable: !once.has(wish.verb),
        failed: unknown,
        deliver: () => {
          const { process } = machine
          const fiber = machine.run(verbOf(wish, this.name))
          if (process === undefined || fiber === undefined) return
          fiber.addObserver((exit) => reply(Exit.isSuccess(exit) ? exit.value : refusalOf(exit.cause), process))
        }
      })
      // who waits for a result waits as long as the connection stands
      if (wish.verb !== "result") world.after(this.process, patience, () => unknown("timeout"))
    })
  }

  /** Asks until there is a reply, what may be repeated: submissions have keys, and most of the rest says what it found. */
  tell(machine: Machine, wish: Wish): Effect.Effect<Reply> {
    return Effect.flatMap(this.ask(machine, wish), (reply) => {
      if (reply._tag !== "Unknown") return Effect.succeed(reply)
      const pause = Effect.suspend(() => Effect.sleep(100 + this.parts.world.chance.next() * 900))
      return Effect.andThen(pause, this.tell(machine, wish))
    })
  }
}
