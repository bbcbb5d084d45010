/**
 * What a person sees and does while a run goes on: the tree, the question to answer, the way out.
 *
 * No clock, no terminal, no network: facts and keys come in, frames, notices and orders go out. `RunFollower` carries
 * the orders out.
 *
 * One question is asked at a time, the oldest first. The form goes away by itself when somebody else answers.
 */
import type { Envelope } from "@coppice/api/Api"
import type { Json } from "effect/Schema"
import { formLines, questionLines } from "./FormLines.ts"
import * as FormPrompt from "./FormPrompt.ts"
import { empty, type Line, line, muted, span, strong } from "./Line.ts"
import type { Node } from "./Nodes.ts"
import { type Asked, RunModel } from "./RunModel.ts"
import { treeLines } from "./Tree.ts"

/** What has to be done outside. */
export type Order =
  | {
    readonly _tag: "Answer"
    readonly question: Asked
    readonly action: "accept" | "decline" | "cancel"
    readonly content: Json | undefined
  }
  | { readonly _tag: "Cancel" }
  /** Let it run and stop watching. */
  | { readonly _tag: "Leave" }

export interface FrameSize {
  readonly columns: number
  readonly rows: number
}

const idOf = ({ request, task }: Asked): string => JSON.stringify([task, request.key])

/** How soon after a question appears a key may be an answer to it, milliseconds. */
const shortestLook = 300

const leaveEntries = ["leave it running", "cancel the run"] as const

export class RunScreen {
  readonly model = new RunModel()
  private readonly root: string
  private readonly canAsk: boolean
  private readonly isWatching: boolean
  private form: FormPrompt.FormState | undefined
  /** When the form in hand was first drawn; keys of before were meant for something else. */
  private shownAt: number | undefined
  /** Questions of this session that are on their way to the service. */
  private readonly sent = new Map<string, FormPrompt.FormState>()
  /** Of those, the ones somebody else was faster with; the log will tell who. */
  private readonly lost = new Set<string>()
  /** Questions the person does not want to answer here. */
  private readonly skipped = new Set<string>()
  /** The marked entry, while it is asked what shall become of the run. */
  private leaving: number | undefined
  private notices: Array<Line> = []
  private orders: Array<Order> = []
  isOffline = false

  constructor(root: string, options: { readonly canAsk: boolean; readonly isWatching?: boolean }) {
    this.root = root
    this.isWatching = options.isWatching === true
    this.canAsk = options.canAsk && !this.isWatching
  }

  /** The root, once its first fact is known. */
  get rootNode(): Node | undefined {
    return this.model.find(this.root)
  }

  /** Whether the run has come to its end: the root has ended, and after a cancellation is at rest. */
  get isOver(): boolean {
    const root = this.rootNode
    return root !== undefined && root.endedAt !== null && (root.status !== "cancelled" || root.settlement !== null)
  }

  /** Takes a fact in; a question that was closed takes its form along. */
  fact(envelope: Envelope): void {
    this.model.apply(envelope)
    const open = new Set(this.model.questions.map(idOf))
    if (this.form !== undefined && !open.has(idOf(this.form.question))) this.withdraw(this.form.question)
    for (const [id, { question }] of this.sent) {
      if (open.has(id)) continue
      this.sent.delete(id)
      if (this.lost.delete(id)) this.withdraw(question)
    }
    this.nextQuestion()
  }

  /** Tells that the question is gone, and why. */
  private withdraw(question: Asked): void {
    if (this.form !== undefined && idOf(this.form.question) === idOf(question)) this.form = undefined
    const closed = this.model.closingOf(question.task, question.request.key)
    const why = closed?.by === undefined
      ? "the question was withdrawn"
      : closed.action === "expired"
      ? "nobody answered in time"
      : `${closed.by} answered first (${closed.action})`
    this.notices.push(line(span("? ", "wait"), strong(question.agent), `: ${why}`))
  }

  private nextQuestion(): void {
    if (!this.canAsk || this.form !== undefined) return
    const next = this.model.questions.find((question) =>
      !this.sent.has(idOf(question)) && !this.skipped.has(idOf(question))
    )
    if (next === undefined) return
    this.form = FormPrompt.begin(next)
    this.shownAt = undefined
  }

  /** The service took the answer. */
  answered(question: Asked, action: string): void {
    this.notices.push(
      line(span("✔ ", "good"), strong(question.agent), `: ${action === "accept" ? "answered" : action}`)
    )
  }

  /** The answer came too late: the question is not open any more. */
  tooLate(question: Asked): void {
    if (this.sent.has(idOf(question))) this.lost.add(idOf(question))
    else this.withdraw(question)
  }

  /** The service did not take the answer: ask again, with its reason. */
  refused(question: Asked, message: string): void {
    const form = this.sent.get(idOf(question))
    this.sent.delete(idOf(question))
    if (form === undefined || this.form !== undefined) this.notices.push(line(span("✖ ", "bad"), message))
    else {
      this.form = FormPrompt.refused(form, message)
      this.shownAt = undefined
    }
  }

  /** Ctrl-C: the first asks what shall become of the run, the second is for the caller. */
  interrupt(): boolean {
    if (this.leaving !== undefined || this.isWatching) return true
    this.leaving = 0
    return false
  }

  /** Takes a key in. True when it means "away from here at once". */
  press(key: FormPrompt.Key, now: number): boolean {
    if (key.ctrl && key.name === "c") return this.interrupt()
    if (this.isWatching) return key.name === "q"
    if (this.leaving !== undefined) this.pressLeaving(key, this.leaving)
    else if (this.form !== undefined && this.isRead(now)) this.pressForm(key, this.form)
    return false
  }

  /** Whether the form was there long enough for the key to be an answer to it. */
  private isRead(now: number): boolean {
    return this.shownAt !== undefined && now - this.shownAt >= shortestLook
  }

  private pressLeaving(key: FormPrompt.Key, marked: number): void {
    if (key.name === "escape") this.leaving = undefined
    else if (["up", "down", "tab"].includes(key.name)) this.leaving = 1 - marked
    else if (key.text === "1" || key.text === "2") this.depart(Number(key.text) - 1)
    else if (key.name === "return" || key.name === "enter") this.depart(marked)
  }

  private depart(entry: number): void {
    this.leaving = undefined
    this.orders.push({ _tag: entry === 0 ? "Leave" : "Cancel" })
  }

  private pressForm(key: FormPrompt.Key, form: FormPrompt.FormState): void {
    const step = FormPrompt.press(form, key)
    if (step._tag === "Ask") {
      this.form = step.state
      return
    }
    this.form = undefined
    if (step._tag === "Leave") {
      this.skipped.add(idOf(form.question))
      this.notices.push(line(muted(`left open; answer it with: coppice answer ${form.question.task}`)))
    } else {
      this.sent.set(idOf(form.question), form)
      this.orders.push({ _tag: "Answer", question: form.question, action: step.action, content: step.content })
    }
    this.nextQuestion()
  }

  /** The orders given since the last call. */
  takeOrders(): ReadonlyArray<Order> {
    const orders = this.orders
    this.orders = []
    return orders
  }

  /** What is to stay on the screen above the picture. */
  takeNotices(): ReadonlyArray<Line> {
    const notices = this.notices
    this.notices = []
    return notices
  }

  /** The picture now. `beat` turns the wheels; the last picture of a run is drawn without. */
  frame(now: number, beat: number | undefined, size: FrameSize): ReadonlyArray<Line> {
    const below = beat === undefined ? [] : this.lower(now, size.columns)
    const limit = Math.max(3, size.rows - 2 - below.length)
    return [...treeLines(this.model.tasks, { now, limit, ...(beat === undefined ? {} : { beat }) }), ...below]
  }

  private lower(now: number, columns: number): ReadonlyArray<Line> {
    const offline = this.isOffline ? [line(span("the service does not answer; trying again", "wait"))] : []
    if (this.leaving !== undefined) return [empty, ...offline, ...leaveLines(this.leaving)]
    if (this.form !== undefined) this.shownAt ??= now
    if (this.form === undefined) {
      return [
        ...this.openLines(now, columns),
        empty,
        ...offline,
        line(muted(this.isWatching ? "q leave" : "Ctrl-C leave"))
      ]
    }
    const more = this.model.questions.length - 1
    const waiting = more > 0 ? [line(muted(`  ${more} more ${more === 1 ? "question waits" : "questions wait"}`))] : []
    return [empty, ...offline, ...formLines(this.form, now, columns), ...waiting]
  }

  /** Questions nobody can answer here. */
  private openLines(now: number, columns: number): ReadonlyArray<Line> {
    const elsewhere = this.model.questions.filter((question) => !this.sent.has(idOf(question)))
    const [first] = elsewhere
    if (first === undefined) return []
    const hint = line(muted(`  answer it with: coppice answer ${first.task}`))
    const more = elsewhere.length > 1 ? [line(muted(`  and ${elsewhere.length - 1} more: coppice inbox`))] : []
    return [empty, ...questionLines(first, now, columns), hint, ...more]
  }
}

const leaveLines = (marked: number): ReadonlyArray<Line> => [
  line(strong("Leave this run?"), muted("  it goes on by itself")),
  ...leaveEntries.map((entry, index) =>
    line(span(index === marked ? "❯ " : "  ", "accent"), span(entry, index === marked ? "strong" : "plain"))
  ),
  line(muted("↑↓ move · Enter choose · Esc stay · Ctrl-C again to leave at once"))
]
