/**
 * What a service runs: its agents and the rules they live under, as one value.
 *
 * `make` is what a `coppice.config.ts` exports; the service (`coppice serve`, `npm start`) reads it. `layer` is the same
 * without a service, for tests and for programs that embed the runtime.
 */
import * as AgentSupervisor from "@coppice/agent/AgentSupervisor"
import * as Executor from "@coppice/agent/Executor"
import { budgetOf, type Limits } from "@coppice/agent/Limits"
import type * as Supervisor from "@coppice/agent/Supervisor"
import type { Offer } from "@coppice/mcp/Offer"
import { CodeVersion } from "@coppice/task/CodeVersion"
import { CallLimits } from "@coppice/task/Lineage"
import { People as TaskPeople } from "@coppice/task/People"
import { AuditRetention } from "@coppice/task/Pruner"
import { Rescuer } from "@coppice/task/Rescuer"
import { RootBudget } from "@coppice/task/RootBudget"
import * as TaskEngine from "@coppice/task/TaskEngine"
import { Tasks } from "@coppice/task/Tasks"
import { type OpenInput, type StoreError, TaskStore } from "@coppice/task/TaskStore"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"
import * as People from "./People.ts"
import * as Servers from "./Servers.ts"
import * as Store from "./Store.ts"
import type * as Webhooks from "./Webhooks.ts"

/** An agent with its code: what `toLayer` returns once everything its handler needs has been provided. */
export type AgentLayer = Layer.Layer<never, never, AgentSupervisor.AgentSupervisor | Tasks>

export interface OrchestratorOptions {
  /** Started in this order, stopped in reverse. */
  readonly agents: ReadonlyArray<AgentLayer>
  /** What this code calls itself, such as a release or a commit; recorded with every task. [COPPICE_CODE_VERSION] */
  readonly code?: string | undefined
  /** OTP's words and meanings. [one_for_one, 5 restarts in 30 seconds] */
  readonly supervision?: Supervisor.SupervisorOptions | undefined
  readonly executor?: Partial<Executor.ExecutorOptions> | undefined
  /** What every run may use that is submitted without a budget of its own. [no limits] */
  readonly budget?: Limits | undefined
  /** How deep a tree may grow, tasks of other Coppices included, and how many calls one task may make. [32, 20,000] */
  readonly limits?: Partial<CallLimits> | undefined
  /** Foreign MCP servers by name, and their tools that are agents here. */
  readonly servers?: Servers.Servers | undefined
  /** What MCP hosts are offered beside the agents, and how. */
  readonly mcp?: Offer | undefined
  /** How long it is known who decided what. [365 days] */
  readonly auditRetention?: Duration.Input | undefined
  /** Who may answer questions, and what else they may do. [whoever gets in may everything] */
  readonly people?: People.People | undefined
  /** Who is told of questions over HTTP, with links to answer them by. [nobody] */
  readonly webhooks?: Webhooks.Webhooks | undefined
  /** Settings of the service; the environment and flags win over them. */
  readonly service?: ServiceOptions | undefined
}

/** What a service may be told in its configuration. `docs/guides/running.md` has the defaults. */
export interface ServiceOptions {
  readonly port?: number | undefined
  readonly host?: string | undefined
  readonly store?: string | undefined
  readonly data?: string | undefined
  readonly allowedHosts?: ReadonlyArray<string> | undefined
  readonly logLevel?: string | undefined
  readonly mcpAuth?: string | undefined
  readonly codeVersion?: string | undefined
}

/** The services of a running orchestrator. */
export type Services =
  | TaskEngine.TaskEngine
  | TaskStore
  | Executor.Executor
  | AgentSupervisor.AgentSupervisor

/** A definition, ready to run over any store. */
export interface Orchestrator {
  readonly _tag: "Orchestrator"
  readonly options: OrchestratorOptions
  /** Everything but the store: engine, supervision tree, agents; resumes what the store holds once all agents stand. */
  readonly layer: Layer.Layer<Services, StoreError, TaskStore>
  /** The same without agents and servers, and nothing is resumed: for whoever brings them later, such as a `Roster`. */
  readonly runtime: Layer.Layer<Services, StoreError, TaskStore>
}

const inOrder = (agents: ReadonlyArray<AgentLayer>): AgentLayer =>
  agents.reduceRight<AgentLayer>(
    (rest, agent): AgentLayer => Layer.provideMerge(rest, agent),
    Layer.empty
  )

const resume = Layer.effectDiscard(Effect.flatMap(Rescuer, (rescuer) => rescuer.sweep))

/** Defines an orchestrator. */
export const make = (options: OrchestratorOptions): Orchestrator => {
  const settings = Layer.mergeAll(
    // the environment wins
    Layer.effect(CodeVersion, Effect.map(CodeVersion, (named) => named ?? options.code)),
    options.supervision === undefined
      ? Layer.empty
      : Layer.succeed(AgentSupervisor.SupervisionOptions, options.supervision),
    options.budget === undefined ? Layer.empty : Layer.succeed(RootBudget, budgetOf(options.budget)),
    options.auditRetention === undefined ? Layer.empty : Layer.succeed(AuditRetention, options.auditRetention),
    options.limits === undefined
      ? Layer.empty
      : Layer.effect(CallLimits, Effect.map(CallLimits, (defaults) => Object.assign({}, defaults, options.limits))),
    options.executor === undefined
      ? Layer.empty
      : Layer.effect(
        Executor.ExecutorOptions,
        Effect.map(Executor.ExecutorOptions, (defaults) => Object.assign({}, defaults, options.executor))
      )
  )
  const runtime = AgentSupervisor.layer.pipe(
    Layer.provideMerge(Executor.layer),
    Layer.provideMerge(TaskEngine.layer),
    Layer.provide(settings),
    // not among the settings: the doors look people up as well
    Layer.provideMerge(
      options.people === undefined ? Layer.empty : Layer.succeed(TaskPeople, People.toPeople(options.people))
    ),
    Layer.provideMerge(Layer.effect(TaskStore, TaskStore))
  ) as Layer.Layer<Services, StoreError, TaskStore>
  const layer = resume.pipe(
    Layer.provideMerge(inOrder(options.agents)),
    Layer.provideMerge(Servers.layer(options.servers ?? {})),
    Layer.provideMerge(runtime)
  )
  return { _tag: "Orchestrator", options, layer, runtime }
}

/**
 * A running orchestrator inside this process, over the store a URL names.
 */
export const layer = (orchestrator: Orchestrator, store: string = "memory:"): Layer.Layer<Services, StoreError> =>
  Layer.provide(orchestrator.layer, Store.layer(store))

/** Submits work to the running orchestrator and waits for how it ends. With a key, the same call finds the same run. */
export const run = Effect.fn("Orchestrator.run")(function*(
  agent: string,
  input: unknown,
  options?: { readonly idempotencyKey?: string | undefined }
) {
  const tasks = yield* Tasks
  const task = yield* tasks.submit({ agent, input: input as Json, idempotencyKey: options?.idempotencyKey })
  return yield* tasks.result(task.id)
})

/** Answers every question that comes up, as a person would: for examples, tests and `--yes`. Never ends by itself. */
export const answerAll = (answer: (question: OpenInput) => Json): Effect.Effect<never, never, Tasks> =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    const open = Effect.flatMap(
      tasks.inbox({}),
      (questions) =>
        Effect.forEach(questions, (question) =>
          Effect.ignore(tasks.respond({
            id: question.task,
            key: question.request.key,
            response: { action: "accept", content: answer(question), by: "answerAll" },
            isOwner: true
          })), { discard: true })
    )
    const asked = Stream.filter(tasks.watch({ since: 0 }), ({ event }) => event._tag === "InputRequested")
    yield* Effect.ignore(Stream.runForEach(asked, () => open))
    return yield* Effect.never
  })
