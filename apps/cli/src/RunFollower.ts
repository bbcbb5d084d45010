/**
 * Follows a run to its end in the terminal: draws it, asks its questions, carries out what the person decides.
 *
 * On a terminal the picture is drawn over itself ten times a second; elsewhere every fact that matters is a line.
 * Everything is told on the error output: the standard output belongs to the run's result.
 */
import type { Envelope, TaskEvent } from "@coppice/api/Api"
import type { TaskResult } from "@coppice/api/TasksApi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { Connection } from "./Connection.ts"
import { eventLine } from "./EventLine.ts"
import { exitCodes, type Failure, silent } from "./Failure.ts"
import type { Key } from "./FormPrompt.ts"
import { Host, type Signal, type Surface, writeLines } from "./Host.ts"
import { line, muted } from "./Line.ts"
import * as Live from "./Live.ts"
import { type Order, RunScreen } from "./RunScreen.ts"
import { tellShown } from "./Shown.ts"

type Message =
  | { readonly _tag: "Fact"; readonly envelope: Envelope }
  | { readonly _tag: "Press"; readonly key: Key }
  | { readonly _tag: "Signal"; readonly signal: Signal }
  | { readonly _tag: "Tick" }
  | { readonly _tag: "Online"; readonly isOnline: boolean }
  | { readonly _tag: "Broken"; readonly failure: Failure }

export interface Follow {
  /** The root's full id. */
  readonly id: string
  /** No lines on the way when there is no terminal to draw on. */
  readonly isQuiet?: boolean
  /** Only look: ask nothing, and leave without a word. */
  readonly isWatching?: boolean
  /** Where it is told: on the error output, unless the telling is the command's purpose. */
  readonly surface?: Surface
}

const gone = new Set(["no_open_question", "already_answered", "already_ended", "task_not_found"])

/** Facts that make a line where nothing can be drawn. */
const isTold = (event: TaskEvent): boolean =>
  !["StepIntended", "StepRecorded", "StepReused", "TimerSet", "TimerFired", "Settled", "Released"].includes(
    event._tag
  ) &&
  !(event._tag === "Started" && event.attempt === 1)

/** Where the messages come from: the log, the keyboard, signals, the clock, and whether the service lives. */
const sources = Effect.fnUntraced(function*(follow: Follow, isLive: boolean) {
  const host = yield* Host
  const connection = yield* Connection
  const messages = yield* Queue.unbounded<Message>()
  const tell = (message: Message) => Queue.offer(messages, message)
  yield* connection.facts({ run: follow.id }).pipe(
    Stream.runForEach((envelope) => tell({ _tag: "Fact", envelope })),
    Effect.catch((failure) => tell({ _tag: "Broken", failure })),
    Effect.forkScoped
  )
  const signals = yield* host.signals
  yield* Queue.take(signals).pipe(
    Effect.flatMap((signal) => tell({ _tag: "Signal", signal })),
    Effect.forever,
    Effect.forkScoped
  )
  const check = Effect.suspend(() => Effect.exit(connection.client.service.healthz())).pipe(
    Effect.flatMap(({ _tag }) => tell({ _tag: "Online", isOnline: _tag === "Success" }))
  )
  yield* Effect.sleep("3 seconds").pipe(Effect.andThen(check), Effect.forever, Effect.forkScoped)
  if (isLive) {
    yield* tell({ _tag: "Tick" }).pipe(Effect.andThen(Effect.sleep("100 millis")), Effect.forever, Effect.forkScoped)
  }
  if (host.canAsk && isLive) yield* readKeys(host, tell)
  return messages
})

const readKeys = Effect.fnUntraced(function*(
  host: Host["Service"],
  tell: (message: Message) => Effect.Effect<unknown>
) {
  const keys = yield* host.keys
  yield* Queue.take(keys).pipe(
    Effect.flatMap((key) => tell({ _tag: "Press", key })),
    Effect.forever,
    Effect.ignore,
    Effect.forkScoped
  )
})

/** Carries an order out in the background; the log tells what came of it. */
const carryOut = Effect.fnUntraced(function*(
  screen: RunScreen,
  follow: Follow,
  order: Exclude<Order, { readonly _tag: "Leave" }>
) {
  const { call, client } = yield* Connection
  if (order._tag === "Cancel") {
    return yield* Effect.forkScoped(
      Effect.ignore(call(client.tasks.cancel({ params: { id: follow.id }, payload: {} })))
    )
  }
  const { action, content, question } = order
  const payload = { key: question.request.key, action, ...(content === undefined ? {} : { content }) }
  return yield* call(client.inbox.answer({ params: { id: question.task }, payload })).pipe(
    Effect.match({
      onSuccess: () => screen.answered(question, action),
      onFailure: ({ code, message }) =>
        gone.has(code ?? "") ? screen.tooLate(question) : screen.refused(question, message)
    }),
    Effect.forkScoped
  )
})

/** The person left; the run goes on. */
const left = Effect.fnUntraced(function*({ id, isWatching }: Follow) {
  const { err } = yield* Host
  if (isWatching === true) return yield* silent(exitCodes.interrupted)
  writeLines(err, [
    line(`The run goes on. Watch it again: coppice watch ${id}`),
    line(muted(`                  Stop it:       coppice cancel ${id}`))
  ])
  return yield* silent(exitCodes.interrupted)
})

interface Picture {
  readonly surface: Surface
  drawn: Live.Drawn
  beat: number
}

const draw = Effect.fnUntraced(function*(screen: RunScreen, picture: Picture, isLast: boolean) {
  const { surface } = picture
  const now = yield* Clock.currentTimeMillis
  const size = { columns: surface.columns(), rows: surface.rows(), colors: surface.colors }
  const beat = isLast ? undefined : picture.beat
  const { drawn, text } = Live.redraw(picture.drawn, screen.frame(now, beat, size), size, screen.takeNotices())
  picture.drawn = drawn
  surface.write(text)
})

/** A fact as a line, where nothing can be drawn. */
const tellFact = Effect.fnUntraced(function*(screen: RunScreen, envelope: Envelope, surface: Surface) {
  const now = yield* Clock.currentTimeMillis
  if (!isTold(envelope.event)) return
  const agent = screen.model.find(envelope.task)?.agent
  writeLines(surface, [eventLine(envelope, agent, now)])
  if (envelope.event._tag === "InputRequested") {
    writeLines(surface, [line(muted(`  answer it with: coppice answer ${envelope.task} --accept '{…}'`))])
  }
})

const tellAway = (surface: Surface, isAway: boolean): void =>
  writeLines(surface, [line(muted(isAway ? "the service does not answer; trying again" : "the service answers again"))])

/** A question that comes up on a screen has been delivered there. */
const tellAsked = ({ event, task }: Envelope) =>
  event._tag === "InputRequested" ? Effect.forkScoped(tellShown([{ task, request: event.request }])) : Effect.void

/** True when the person wants to leave at once. */
const handle = Effect.fnUntraced(function*(screen: RunScreen, message: Message, picture: Picture, isLive: boolean) {
  switch (message._tag) {
    case "Fact":
      screen.fact(message.envelope)
      return false
    case "Tick":
      picture.beat++
      return false
    case "Online":
      if (!isLive && message.isOnline === screen.isOffline) tellAway(picture.surface, !message.isOnline)
      screen.isOffline = !message.isOnline
      return false
    case "Press":
      return screen.press(message.key, yield* Clock.currentTimeMillis)
    case "Signal":
      return !isLive || message.signal !== "SIGINT" || screen.interrupt()
    case "Broken":
      return yield* message.failure
  }
})

const isSeen = ({ _tag }: Message): boolean => _tag === "Tick" || _tag === "Press"

/** True at the run's end, false when the person left before. */
const loop = Effect.fnUntraced(function*(screen: RunScreen, follow: Follow, isLive: boolean, picture: Picture) {
  const messages = yield* sources(follow, isLive)
  while (!screen.isOver) {
    const batch = yield* Queue.takeAll(messages)
    for (const message of batch) {
      const isAway = yield* handle(screen, message, picture, isLive)
      if (isLive && message._tag === "Fact") yield* tellAsked(message.envelope)
      if (!isLive && message._tag === "Fact" && follow.isQuiet !== true) {
        yield* tellFact(screen, message.envelope, picture.surface)
      }
      if (isAway) return false
      for (const order of screen.takeOrders()) {
        if (order._tag === "Leave") return false
        yield* carryOut(screen, follow, order)
      }
    }
    // Once for all of them: a picture that takes longer to draw than a tick must not fall behind.
    if (isLive && batch.some(isSeen)) yield* draw(screen, picture, false)
  }
  return true
})

/** Follows the run until it has ended and says how. Leaving it early is the failure 130. */
export const followRun = Effect.fn("RunFollower.followRun")(function*(
  follow: Follow
): Effect.fn.Return<TaskResult, Failure, Host | Connection> {
  const { canAsk, err } = yield* Host
  const surface = follow.surface ?? err
  const isLive = surface.isTty && follow.isQuiet !== true
  const screen = new RunScreen(follow.id, { canAsk: canAsk && isLive, isWatching: follow.isWatching === true })
  const picture: Picture = { surface, drawn: [], beat: 0 }
  const close = Effect.andThen(
    Effect.ignore(draw(screen, picture, true)),
    Effect.sync(() => surface.write(Live.showCursor))
  )
  if (isLive) surface.write(Live.hideCursor)
  const isOver = yield* Effect.scoped(loop(screen, follow, isLive, picture)).pipe(
    isLive ? Effect.ensuring(close) : (effect) => effect
  )
  if (!isOver) return yield* left(follow)
  return yield* result(follow.id)
})

const isAway = ({ code }: Failure): boolean => code === "unauthorized" || code === "unreachable" || code === "stopping"

/** How it ended, also from a service that is just being restarted. */
const result = Effect.fnUntraced(function*(id: string) {
  const connection = yield* Connection
  const read = Effect.suspend(() => connection.call(connection.client.result(id)))
  const again = Effect.andThen(Effect.timeoutOption(connection.renewed, "1 second"), read)
  return yield* Effect.catchIf(read, isAway, () => Effect.retry(again, { while: isAway, times: 30 }))
})
