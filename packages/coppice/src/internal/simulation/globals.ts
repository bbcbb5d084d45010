/**
 * The globals production code asks for time, turns and chance, answered by a world.
 *
 * They are looked up at every call by everything the runtime is made of (Effect's clock and scheduler, the MCP SDK, Node's
 * web streams), so they can be replaced after everything was loaded. Promises and `queueMicrotask` stay as they are.
 */
import crypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import type { VirtualTimer } from "./timers.ts"
import type { World } from "./world.ts"

type Patch = readonly [target: object, name: string, value: unknown]

/** What code may do with the object `setTimeout` returns. */
class Handle {
  readonly timer: VirtualTimer
  private readonly world: World
  private readonly delay: number

  constructor(world: World, timer: VirtualTimer, delay: number) {
    this.world = world
    this.timer = timer
    this.delay = delay
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
  refresh(): this {
    this.world.refresh(this.timer, this.delay)
    return this
  }
  close(): this {
    this.timer.cancelled = true
    return this
  }
  [Symbol.toPrimitive](): number {
    return this.timer.order
  }
  [Symbol.dispose](): void {
    this.close()
  }
}

type Callback = (...args: ReadonlyArray<unknown>) => void

const timers = (world: World, real: typeof globalThis): ReadonlyArray<Patch> => {
  const bound = (callback: Callback, args: ReadonlyArray<unknown>) =>
    args.length === 0 ? callback : () => callback(...args)
  const set = (repeats: boolean) => (callback: Callback, delay = 1, ...args: ReadonlyArray<unknown>) =>
    new Handle(world, world.setTimer(bound(callback, args), delay, repeats), delay)
  const clear = (undo: (handle: never) => void) => (handle: unknown) => {
    if (handle instanceof Handle) handle.close()
    else undo(handle as never)
  }
  return [
    [real, "setTimeout", set(false)],
    [real, "setInterval", set(true)],
    [
      real,
      "setImmediate",
      (callback: Callback, ...args: ReadonlyArray<unknown>) =>
        new Handle(world, world.setImmediate(bound(callback, args)), 0)
    ],
    [real, "clearTimeout", clear(real.clearTimeout)],
    [real, "clearInterval", clear(real.clearInterval)],
    [real, "clearImmediate", clear(real.clearImmediate)]
  ]
}

/** `Date` itself, with another now: objects made before and after are of one class. */
const dateOf = (world: World): DateConstructor =>
  new Proxy(Date, {
    construct: (target, args, self) =>
      Reflect.construct(target, args.length === 0 ? [Math.floor(world.wall)] : args, self),
    apply: (target) => new target(Math.floor(world.wall)).toString(),
    get: (target, name) => name === "now" ? () => Math.floor(world.wall) : Reflect.get(target, name)
  })

const time = (world: World, real: typeof globalThis): ReadonlyArray<Patch> => [
  [real, "Date", dateOf(world)],
  [real.performance, "now", () => world.elapsed],
  [real.process.hrtime, "bigint", () => BigInt(Math.round(world.elapsed * 1_000)) * 1_000n],
  [real.AbortSignal, "timeout", (millis: number) => {
    const controller = new AbortController()
    world.setTimer(() => controller.abort(new DOMException("The operation timed out", "TimeoutError")), millis, false)
    return controller.signal
  }]
]

const bytes = (world: World) => (view: ArrayBufferView): ArrayBufferView => {
  const all = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  for (let i = 0; i < all.length; i++) all[i] = world.noise.below(256)
  return view
}

const uuid = (world: World) => (): string => {
  const hex = [...bytes(world)(new Uint8Array(16)) as Uint8Array].map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}

const chance = (world: World, real: typeof globalThis): ReadonlyArray<Patch> => [
  [real.Math, "random", () => world.noise.next()],
  [real.crypto, "getRandomValues", bytes(world)],
  [real.crypto, "randomUUID", uuid(world)],
  [crypto, "randomUUID", uuid(world)],
  [crypto, "randomBytes", (size: number) => bytes(world)(Buffer.alloc(size))],
  [crypto, "randomFillSync", bytes(world)],
  [
    crypto,
    "randomInt",
    (from: number, to?: number) => to === undefined ? world.noise.below(from) : from + world.noise.below(to - from)
  ]
]

/** Puts the world in the place of the globals; what it returns puts them back. */
export const install = (world: World): () => void => {
  const real = globalThis
  const patches = [...timers(world, real), ...time(world, real), ...chance(world, real)]
  const before = patches.map(([target, name]) => Object.getOwnPropertyDescriptor(target, name))
  for (const [target, name, value] of patches) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: true })
  }
  syncBuiltinESMExports()
  return () => {
    patches.forEach(([target, name], index) => {
      const descriptor = before[index]
      if (descriptor === undefined) Reflect.deleteProperty(target, name)
      else Object.defineProperty(target, name, descriptor)
    })
    syncBuiltinESMExports()
  }
}
