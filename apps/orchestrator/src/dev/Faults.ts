/**
 * Faults on demand: what was asked for, what is in force, and what each has done.
 */
import * as ApiError from "@coppice/api/ApiError"
import type { Fault, FaultRequest } from "@coppice/api/DevApi"
import * as Effect from "effect/Effect"
import * as FaultText from "./FaultText.ts"
import type { Hindrance } from "./Network.ts"

/** How many are remembered. */
const most = 100

/** What faults are done to. */
export interface Victims {
  /** The time of the service, milliseconds. */
  readonly now: () => number
  readonly agents: () => ReadonlyArray<string>
  /** The hosts of the servers of the configuration; `undefined` for one that is a program. */
  readonly servers: () => ReadonlyMap<string, string | undefined>
  readonly killWorker: (agent: string) => Effect.Effect<boolean>
  readonly killProcess: () => void
  readonly jump: (millis: number) => void
  /** Cuts what is open to a host. */
  readonly cut: (host: string) => void
  /** The faults have changed: written down before anything else happens. */
  readonly changed: (faults: ReadonlyArray<Fault>) => void
  readonly say: (line: string) => void
  /** How a test imports the configuration. */
  readonly config: string
}

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

type OfKind<Kind> = Extract<FaultRequest, { readonly kind: Kind }>

const noAgent = (agent: string, known: ReadonlyArray<string>) =>
  ApiError.make("unknown_agent", {
    message: `No server of an agent "${agent}" runs here`,
    field: "agent",
    fix: known.length === 0 ? "add an agent" : `use one of ${known.join(", ")}`
  })

/** A host by itself, without a path. */
const isHost = (text: string): boolean => /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(text) && /[.:]/.test(text)

const isCounted = (kind: FaultRequest["kind"]): boolean => kind === "too-many-requests" || kind === "duplicate"

export class Faults {
  private readonly victims: Victims
  private readonly all: Array<Mutable<Fault>>
  private count: number

  constructor(victims: Victims, before: ReadonlyArray<Fault> = []) {
    this.victims = victims
    this.all = before.map((fault) => ({ ...fault }))
    this.count = Math.max(0, ...before.map(({ id }) => Number(id)))
  }

  /** Newest first. */
  list(): ReadonlyArray<Fault> {
    this.expire()
    return this.all.toReversed()
  }

  private expire(): void {
    const now = this.victims.now()
    for (const fault of this.all) {
      if (fault.state === "active" && fault.until !== null && fault.until <= now) fault.state = "over"
    }
  }

  private save(): void {
    this.victims.changed(this.all)
  }

  // ---------------------------------------------------------------- asking for one

  /** Does it, or has it in force from now on. */
  readonly apply = (request: FaultRequest): Effect.Effect<Fault, ApiError.BadRequest | ApiError.NotFound> =>
    Effect.gen({ self: this }, function*() {
      switch (request.kind) {
        case "kill-worker":
          return yield* this.killWorker(request)
        case "kill-process":
          return this.killProcess(request)
        case "jump":
          return this.jump(request)
        default:
          return yield* this.hinder(request)
      }
    })

  private record(request: FaultRequest, rest: Pick<Fault, "state" | "struck" | "until">): Fault {
    const agent = "agent" in request ? request.agent : this.victims.agents()[0] ?? "agent"
    const text = FaultText.describe(request)
    const test = FaultText.testOf(request, this.victims.config, agent)
    const fault = { id: String(++this.count), at: this.victims.now(), request, text, test, ...rest }
    this.all.push(fault)
    if (this.all.length > most) this.all.shift()
    this.save()
    this.victims.say(`fault ${fault.id}: ${text}`)
    return { ...fault }
  }

  private readonly over = { state: "over", struck: 1, until: null } as const

  private killWorker(request: OfKind<"kill-worker">) {
    return Effect.gen({ self: this }, function*() {
      if (yield* this.victims.killWorker(request.agent)) return this.record(request, this.over)
      return yield* noAgent(request.agent, this.victims.agents())
    })
  }

  private killProcess(request: OfKind<"kill-process">): Fault {
    const fault = this.record(request, this.over)
    this.victims.killProcess()
    return fault
  }

  private jump(request: OfKind<"jump">): Fault {
    this.victims.jump(request.millis)
    return this.record(request, this.over)
  }

  private hinder(request: Exclude<FaultRequest, OfKind<"kill-worker" | "kill-process" | "jump">>) {
    return Effect.gen({ self: this }, function*() {
      const host = yield* this.hostOf(request.target)
      const until = request.kind === "drop-network" ? this.victims.now() + request.millis : null
      const fault = this.record(request, { state: "active", struck: 0, until })
      if (request.kind === "drop-network") this.victims.cut(host)
      return fault
    })
  }

  private hostOf(target: string): Effect.Effect<string, ApiError.BadRequest> {
    const servers = this.victims.servers()
    const host = servers.has(target) ? servers.get(target) : isHost(target) ? target.toLowerCase() : undefined
    if (host !== undefined) return Effect.succeed(host)
    return Effect.fail(ApiError.make("invalid_request", {
      message: servers.has(target)
        ? `Server "${target}" is a program, not an address: there is no network to it`
        : `"${target}" is neither a server of the configuration nor a host`,
      field: "target",
      fix: "name a server with a url, or a host such as api.example.com"
    }))
  }

  // ---------------------------------------------------------------- striking

  /** What a request to the host meets now; each of them has struck once more. */
  readonly meet = (host: string, hasBody: boolean): ReadonlyArray<Hindrance> => {
    this.expire()
    return this.all.flatMap((fault) => {
      if (fault.state !== "active") return []
      const hindrance = this.hindranceOf(fault.request, host, hasBody)
      if (hindrance === undefined) return []
      this.struck(fault)
      return [hindrance]
    })
  }

  private struck(fault: Mutable<Fault>): void {
    fault.struck++
    const { request } = fault
    if (isCounted(request.kind) && fault.struck >= (("times" in request ? request.times : undefined) ?? 1)) {
      fault.state = "over"
    }
    this.save()
  }

  private hindranceOf(request: FaultRequest, host: string, hasBody: boolean): Hindrance | undefined {
    if (!("target" in request)) return undefined
    const aimed = this.victims.servers().get(request.target) ?? request.target.toLowerCase()
    if (aimed !== host) return undefined
    switch (request.kind) {
      case "delay":
        return { kind: "delay", millis: request.millis }
      case "too-many-requests":
        return { kind: "too-many-requests", retryAfter: request.retryAfter ?? 1 }
      case "drop-network":
        return { kind: "drop-network" }
      case "duplicate":
        return hasBody ? { kind: "duplicate" } : undefined
    }
  }

  // ---------------------------------------------------------------- taking back

  readonly clear = (id: string): Effect.Effect<Fault, ApiError.NotFound | ApiError.Conflict> =>
    Effect.suspend((): Effect.Effect<Fault, ApiError.NotFound | ApiError.Conflict> => {
      this.expire()
      const fault = this.all.find((one) => one.id === id)
      if (fault === undefined) {
        return Effect.fail(ApiError.make("fault_not_found", {
          message: `There is no fault ${id}`,
          fix: "GET /api/v1/dev lists them"
        }))
      }
      if (fault.state === "over") {
        return Effect.fail(ApiError.make("conflict", {
          message: `Fault ${id} is over: ${fault.text}`,
          fix: fault.request.kind === "jump" ? "a clock is not set back; start with another --data folder" : "leave it"
        }))
      }
      this.end(fault)
      return Effect.succeed({ ...fault })
    })

  readonly clearAll: Effect.Effect<void> = Effect.sync(() => {
    this.expire()
    for (const fault of this.all) if (fault.state === "active") this.end(fault)
  })

  private end(fault: Mutable<Fault>): void {
    if (fault.state === "active") this.victims.say(`fault ${fault.id} cleared: ${fault.text}`)
    fault.state = fault.state === "active" ? "cleared" : fault.state
    this.save()
  }
}
