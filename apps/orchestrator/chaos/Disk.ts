/**
 * What a disk can do to a store: bytes that change, a file that ends too early, no room.
 *
 * A damaged store has to be told, at the start with exit code 4 or when the damage is read, or read back exactly as it
 * was: never something else. On a full disk nothing is acknowledged, what was is read, and all goes on when there is room.
 */
import * as ApiClient from "@coppice/api/ApiClient"
import type { TaskId } from "@coppice/task/Task"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Client } from "./Client.ts"
import type { History } from "./History.ts"
import type * as Seeded from "./Seeded.ts"
import * as Service from "./Service.ts"

interface DiskReport {
  readonly lines: ReadonlyArray<string>
  readonly broken: ReadonlyArray<string>
}

type Damage = (file: string, seeded: Seeded.Seeded) => string

const damages: ReadonlyArray<Damage> = [
  (file, { between }) => {
    const bytes = readFileSync(file)
    const at = between(0, bytes.length - 1)
    bytes[at]! ^= 1 << between(0, 7)
    writeFileSync(file, bytes)
    return `one bit flipped at ${at}`
  },
  (file, { between }) => {
    const size = between(1, statSync(file).size - 1)
    truncateSync(file, size)
    return `cut to ${size} bytes`
  },
  (file, { between }) => {
    const bytes = readFileSync(file)
    const page = between(0, Math.floor(bytes.length / 4_096) - 1)
    bytes.fill(0, page * 4_096, (page + 1) * 4_096)
    writeFileSync(file, bytes)
    return `page ${page} zeroed`
  }
]

/** Every fact as it reads back, or that the damage was told. */
const readBack = (client: Client) =>
  Effect.gen(function*() {
    const runs = yield* client.runs
    return (yield* Effect.forEach(runs, (run) => client.events(run))).flat().sort((a, b) => a.seq - b.seq)
  }).pipe(
    Effect.timeoutOption("5 seconds"),
    Effect.match({ onFailure: () => "told when it was read" as const, onSuccess: (log) => log })
  )

const inspect = Effect.fnUntraced(function*(place: Service.Site, original: History["log"]) {
  const service = yield* Service.start(place)
  const up = Effect.asSome(service.ready)
  const address = yield* Effect.raceFirst(up, Effect.as(service.ended, Option.none<Service.Address>()))
  if (Option.isNone(address)) {
    const { code } = yield* service.ended
    const words = Service.lastWords(place)
    if (code !== 4 || words.trim() === "") return { broken: true, found: `exit code ${code}: ${words}` }
    return { broken: false, found: `refused: ${words.slice(0, 120)}` }
  }
  const client = new Client()
  client.moved(address.value)
  const log = yield* readBack(client)
  yield* service.signal("SIGKILL")
  if (typeof log === "string") return { broken: false, found: log }
  if (Option.isNone(log)) return { broken: false, found: "told when it was read" }
  // work that was under way goes on, so there may be more; what there was is what has to be there
  const now = new Map(log.value.map((envelope) => [envelope.seq, JSON.stringify(envelope)]))
  const differing = original.filter((envelope) => now.get(envelope.seq) !== JSON.stringify(envelope)).length
  return { broken: differing > 0, found: differing === 0 ? "read back exactly" : `${differing} facts read differently` }
}, Effect.scoped)

/** Damages copies of a store that was closed in an orderly way. `store`: its file; `log`: what is in it. */
export const corruption = Effect.fnUntraced(function*(options: {
  readonly store: string
  readonly log: History["log"]
  readonly config: string
  readonly folder: string
  readonly seeded: Seeded.Seeded
}) {
  const lines: Array<string> = []
  const broken: Array<string> = []
  for (const [index, damage] of damages.entries()) {
    const place = Service.siteIn(join(options.folder, `damage-${index}`), options.config)
    const file = join(place.data, "coppice.db")
    copyFileSync(options.store, file)
    const done = damage(file, options.seeded)
    const verdict = yield* inspect(place, options.log)
    lines.push(`  ${verdict.broken ? "BROKEN" : "ok    "} ${done}: ${verdict.found}`)
    if (verdict.broken) broken.push(`${done}: ${verdict.found}`)
  }
  return { lines: ["damaged stores:", ...lines], broken } satisfies DiskReport
})

const mounted = (folder: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(folder, { recursive: true })
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], { stdio: "ignore" })
        return true
      } catch {
        return false
      }
    }),
    (isMounted) =>
      Effect.sync(() => {
        if (isMounted) execFileSync("umount", ["-l", folder], { stdio: "ignore" })
      })
  )

/** The batch the disk has no room for is held, so whoever waits for it gets no reply; who comes after is refused. */
const replyLimit = "2 seconds"

/** Submits until it is refused; the ids that were acknowledged before, and the refusal. */
const submitUntilRefused = Effect.fnUntraced(function*(api: ApiClient.ApiClient) {
  const ids: Array<TaskId> = []
  for (let i = 0; i < 200; i++) {
    const input = { millis: 1, name: `${i} ${"x".repeat(50_000)}` }
    const submit = api.tasks.submit({ payload: { agent: "sleeper", input } })
    const result = yield* Effect.result(Effect.timeoutOption(submit, replyLimit))
    if (Result.isFailure(result)) return { ids, refusal: ApiClient.describe(result.failure, "the service") }
    if (Option.isSome(result.success)) ids.push(result.success.value.id)
  }
  return { ids, refusal: undefined }
})

/** Fills a disk of a few megabytes under a running service, then makes room again. */
export const full = Effect.fnUntraced(function*(options: { readonly config: string; readonly folder: string }) {
  const disk = join(options.folder, "small-disk")
  if (!(yield* mounted(disk))) {
    return { lines: ["full disk: SKIPPED, because mounting a tmpfs needs root on Linux"], broken: [] }
  }
  const place = { ...Service.siteIn(join(options.folder, "full"), options.config), data: join(disk, "data") }
  const filler = join(disk, "filler")
  writeFileSync(filler, Buffer.alloc(1_500_000))
  const { address, service } = yield* Service.startUp(place)
  const api = yield* ApiClient.make(address)
  const { ids, refusal } = yield* submitUntilRefused(api)
  const readable = yield* Effect.forEach(ids, (id) => Effect.isSuccess(api.tasks.get({ params: { id } })))
  rmSync(filler)
  const again = api.tasks.submit({ payload: { agent: "sleeper", input: { millis: 1, name: "last" } } })
  const last = yield* Effect.option(
    Effect.timeout(Effect.retry(again, { times: 100, schedule: Schedule.spaced("100 millis") }), "20 seconds")
  )
  const ends = yield* Effect.forEach(
    ids,
    (id) => Effect.option(Effect.timeout(api.tasks.result({ params: { id }, query: { wait: 10 } }), "15 seconds"))
  )
  yield* service.signal("SIGTERM")
  const { code } = yield* service.ended
  const finished = ends.filter((end) => Option.isSome(end) && end.value.task.endedAt !== null).length
  const broken = [
    ...refusal?.code === "store_unavailable"
      ? []
      : [`on a full disk work was refused with ${refusal?.code ?? "nothing"}`],
    ...ids.length === 0 ? ["nothing was acknowledged before the disk was full"] : [],
    ...readable.includes(false) ? ["what was acknowledged could not be read on a full disk"] : [],
    ...Option.isNone(last) ? ["no new work was taken after there was room again"] : [],
    ...finished < ids.length ? [`${ids.length - finished} acknowledged tasks did not finish`] : [],
    ...code === 0 ? [] : [`it ended with exit code ${code}`]
  ]
  const told = refusal === undefined ? "no refusal" : `refused with ${refusal.code}`
  return {
    lines: [
      "full disk:",
      `  ${broken.length === 0 ? "ok    " : "BROKEN"} ${ids.length} tasks acknowledged, then ${told}; ` +
      `${finished} finished once there was room`
    ],
    broken
  } satisfies DiskReport
}, Effect.scoped)
