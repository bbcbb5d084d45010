/**
 * Follows a run to its end in the terminal: draws it, asks its questions, carries out what the person decides.
 *
 * On a terminal the picture is drawn over itself ten times a second; elsewhere every fact that matters is a line.
 * Everything is told on the error output: the standard output belongs to the run's result.
 */
import type { TaskResult } from "@coppice/api/TasksApi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Envelope, TaskEvent } from "@coppice/api/Api"
import { Connection } from "./Connection.ts"
import { eventLine } from "./EventLine.ts"
import { exitCodes, Failure, silent } from "./Failure.ts"
import type { Key } from "./FormPrompt.ts"
import { Host, type Signal, type Surface, writeLines } from "./Host.ts"
import { line, muted } from "./Line.ts"
import * as Live from "./Live.ts"
import { type Order, RunScreen } from "./RunScreen.ts"

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

const gone = new Set(["no_open_question", "already_ended", "task_not_found"])

/** Facts that make a line where nothing can be drawn. */
const isTold = (event: TaskEvent): boolean =>
  !["StepRecorded", "TimerSet", "TimerFired", "Settled", "Released"].includes(event._tag) &&
  !(event._tag === "Started" && event.attempt === 1)

/** Where the messages come from: the log, the keyboard, signals, the clock, and whether the service lives. */
const sources = Effect.fnUntraced(function*(follow: Follow, isLive: boolean) {
  const host = yield* Host
  const { client, facts } = yield* Connection
  const messages = yield* Queue.unbounded<Message>()
  const tell = (message: Message) => Queue.offer(messages, message)
  yield* facts({ run: follow.id }).pipe(
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
  const check = Effect.exit(client.service.healthz()).pipe(
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
const carryOut = Effect.fnUntraced(function*(screen: RunScreen, follow: Follow, order: Order) {
  const { call, client } = yield* Connection
  if (order._tag === "Leave") return yield* left(follow)
  if (order._tag === "Cancel") {
    return yield* Effect.forkScoped(Effect.ignore(call(client.tasks.cancel({ params: { id: follow.id }, payload: {} }))))
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

const handle = Effect.fnUntraced(function*(screen: RunScreen, message: Message, picture: Picture, isLive: boolean) {
  switch (message._tag) {
    case "Fact":
      screen.fact(message.envelope)
      return false
    case "Tick":
      picture.beat++
      yield* draw(screen, picture, false)
      return false
    case "Online":
      screen.isOffline = !message.isOnline
      return false
    case "Press": {
      const isAway = screen.press(message.key)
      yield* draw(screen, picture, false)
      return isAway
    }
    case "Signal":
      return !isLive || message.signal !== "SIGINT" || screen.interrupt()
    case "Broken":
      return yield* message.failure
  }
})

const loop = Effect.fnUntraced(function*(screen: RunScreen, follow: Follow, isLive: boolean, picture: Picture) {
  const messages = yield* sources(follow, isLive)
  while (!screen.isOver) {
    for (const message of yield* Queue.takeAll(messages)) {
      const isAway = yield* handle(screen, message, picture, isLive)
      if (!isLive && message._tag === "Fact" && follow.isQuiet !== true) yield* tellFact(screen, message.envelope, picture.surface)
      if (isAway) return yield* left(follow)
      for (const order of screen.takeOrders()) yield* carryOut(screen, follow, order)
    }
  }
})

/** Follows the run until it has ended and says how. Leaving it early is the failure 130. */
export const followRun = Effect.fn("RunFollower.followRun")(function*(
  follow: Follow
): Effect.fn.Return<TaskResult, Failure, Host | Connection> {
  const { canAsk, err } = yield* Host
  const { call, client } = yield* Connection
  const surface = follow.surface ?? err
  const isLive = surface.isTty && follow.isQuiet !== true
  const screen = new RunScreen(follow.id, { canAsk: canAsk && isLive, isWatching: follow.isWatching === true })
  const picture: Picture = { surface, drawn: [], beat: 0 }
  const close = Effect.andThen(
    Effect.ignore(draw(screen, picture, true)),
    Effect.sync(() => surface.write(Live.showCursor))
  )
  if (isLive) surface.write(Live.hideCursor)
  yield* Effect.scoped(loop(screen, follow, isLive, picture)).pipe(
    isLive ? Effect.ensuring(close) : (effect) => effect
  )
  return yield* call(client.result(follow.id))
})
