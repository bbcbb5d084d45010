/**
 * Answer links: a sealed right to answer one question, once, as one person, until a time.
 *
 * ```text
 *  https://service/answer#<task, key, person, expiry>.<seal>
 * ```
 *
 * All of it stands behind `#`: no server, proxy or log sees it, and no `Referer` carries it on. Whoever fetches the page, a
 * chat's preview or a mail scanner included, gets a page and changes nothing; only its script posts the token back. The
 * seal is that of MCP's task handles, under the store's own key and another label. It says who may try: whether that
 * person may answer is looked up when the answer is applied.
 */
import { Seal } from "@coppice/mcp/Seal"
import { TaskId } from "@coppice/task/Task"
import { TaskLog } from "@coppice/task/TaskLog"
import { type StoreError, TaskStore } from "@coppice/task/TaskStore"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/** What a link stands for. `person` is `null` where the configuration has no people. `expires` in Unix milliseconds. */
export interface Grant {
  readonly task: TaskId
  readonly key: string
  readonly person: string | null
  readonly expires: number
}

/** A link that opens nothing. */
export class DeadLink extends Data.TaggedError("DeadLink")<{ readonly why: "invalid" | "expired" | "used" }> {}

const label = "answer"
const kind = "answer-link"

/** The page the links lead to. */
const path = "/answer"

const decode = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Tuple([TaskId, Schema.String, Schema.NullOr(Schema.String), Schema.Finite]))
)

/** Names a token without being one. */
const nameOf = (token: string): string => token.slice(token.lastIndexOf(".") + 1)

export class AnswerLinks extends Context.Service<AnswerLinks, {
  /** The same grant is the same link. `origin` such as `http://127.0.0.1:4280`. */
  readonly url: (origin: string, grant: Grant) => string
  /** What a token stands for, if it is one of ours, in time and not used. */
  readonly open: (token: string) => Effect.Effect<Grant, DeadLink | StoreError>
  /** Runs the effect as the token's one use: when it succeeds the token is used, durably; one use at a time. */
  readonly use: <A, E, R>(
    token: string,
    effect: (grant: Grant) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | DeadLink | StoreError, R>
}>()("@coppice/orchestrator/AnswerLinks") {
  static readonly layer: Layer.Layer<AnswerLinks, never, Seal | TaskLog | TaskStore> = Layer.effect(
    AnswerLinks,
    Effect.gen(function*() {
      const seal = yield* Seal
      const log = yield* TaskLog
      const store = yield* TaskStore
      const inUse = new Set<string>()

      const read = (token: string): Grant | undefined => {
        const text = seal.open(label, token)
        const found = text === undefined ? undefined : decode(text)
        if (found === undefined || found._tag === "None") return undefined
        const [task, key, person, expires] = found.value
        return { task, key, person, expires }
      }

      const open = Effect.fnUntraced(function*(token: string) {
        const grant = read(token)
        if (grant === undefined) return yield* new DeadLink({ why: "invalid" })
        if (grant.expires <= log.now()) return yield* new DeadLink({ why: "expired" })
        if ((yield* store.note(kind, nameOf(token))) !== undefined) return yield* new DeadLink({ why: "used" })
        return grant
      })

      const spend = (token: string, { expires }: Grant) =>
        Effect.suspend(() => {
          log.setNote({ kind, key: nameOf(token), value: "used", lifetime: Math.max(0, expires - log.now()) + 1_000 })
          return log.barrier
        })

      const use = <A, E, R>(token: string, effect: (grant: Grant) => Effect.Effect<A, E, R>) =>
        Effect.acquireUseRelease(
          Effect.suspend(() => {
            if (inUse.has(token)) return Effect.fail(new DeadLink({ why: "used" }))
            inUse.add(token)
            return Effect.void
          }),
          () =>
            Effect.flatMap(
              open(token),
              (grant) => Effect.tap(effect(grant), () => spend(token, grant))
            ),
          () => Effect.sync(() => inUse.delete(token))
        )

      return {
        url: (origin, { expires, key, person, task }) =>
          `${origin}${path}#${seal.seal(label, JSON.stringify([task, key, person, expires]))}`,
        open,
        use
      }
    })
  )
}
