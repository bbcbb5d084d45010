/**
 * A foreign MCP server as a node of the network: comes and goes like one, and may come back without its memory.
 */
import { dice } from "./dice.ts"
import type { History, Lived } from "./history.ts"
import type { Injector } from "./injector.ts"
import type { Mourner } from "./machine.ts"
import { Talk } from "./talk.ts"
import type { Host, Sender } from "./wires.ts"
import { type ForeignServer, Workshop } from "./workshop.ts"
import type { Process, World } from "./world.ts"

interface Parts {
  readonly world: World
  readonly history: History
  readonly injector: Injector
}

export class Foreign implements Host {
  readonly name: string
  readonly mourners = new Set<Mourner>()
  readonly workshop: Workshop
  private readonly parts: Parts
  private readonly talk: Talk
  private readonly hands: Process
  private lives = 0
  process: Process | undefined

  constructor(name: string, server: ForeignServer, parts: Parts) {
    this.name = name
    this.parts = parts
    this.workshop = new Workshop(name, server, parts)
    this.talk = new Talk(this.workshop, parts.injector)
    this.hands = parts.world.process(`${name}'s operator`)
  }

  get isServing(): boolean {
    return this.process !== undefined
  }

  answer(request: Request, body: unknown, from: Sender): Promise<Response> {
    return Promise.resolve(this.talk.answer(request, body, from))
  }

  start(): void {
    if (this.process !== undefined) return
    this.lives++
    this.process = this.parts.world.process(`${this.name}#${this.lives}`)
    this.workshop.live(this.process)
    this.note("serves", "")
  }

  crash(): void {
    const { forgets = 0.5 } = this.workshop.server
    this.end("crashes", dice(this.parts.world.seed, `memory ${this.name} ${this.lives}`).chance(forgets))
  }

  stop(): void {
    this.end("stops", false)
  }

  pause(millis: number): void {
    const { process } = this
    if (process === undefined) return
    process.isPaused = true
    this.parts.world.after(this.hands, millis, () => {
      process.isPaused = false
    })
  }

  heal(): void {
    if (this.process !== undefined) this.process.isPaused = false
    this.start()
  }

  private end(what: Lived["what"], forgets: boolean): void {
    const { process } = this
    if (process === undefined) return
    const { world } = this.parts
    this.note(what, forgets ? "its memory is lost" : "")
    this.process = undefined
    world.kill(process)
    this.workshop.die(forgets)
    if (forgets) this.talk.forget()
    for (const mourn of [...this.mourners]) mourn()
    this.mourners.clear()
    const pause = 50 + dice(world.seed, `restart ${this.name} ${this.lives}`).next() ** 3 * 5_000
    world.after(this.hands, pause, () => this.start())
  }

  private note(what: Lived["what"], why: string): void {
    const { history, world } = this.parts
    history.add({ _tag: "Lived", at: world.elapsed, node: this.name, life: this.lives, what, why })
  }
}
