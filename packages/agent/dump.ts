import * as Effect from "effect/Effect"
import { fromTheStart, after } from "./test/support/Lives.ts"
const program = JSON.parse(process.argv[2]!), world = JSON.parse(process.argv[3]!)
const cut = process.argv[4] === undefined ? undefined : Number(process.argv[4])
const show = (life: any) => {
  const names = new Map<string, string>()
  const n = (id: string) => { if (!names.has(id)) names.set(id, "T" + names.size); return names.get(id)! }
  life.batches.forEach((b: any, i: number) => {
    console.log("batch", i, "t+" + ((b.events[0]?.at ?? 0) - 1_800_000_000_000))
    for (const e of b.events) console.log("   ", e.seq, n(e.task), e.event._tag, e.event.key ?? e.event.attempt ?? e.event.by ?? "", e.event.delivered ?? "")
    for (const r of [...b.created, ...b.changed]) console.log("      row", n(r.state.id), r.state.status, r.parked ? "PARKED" : "", r.state.settlement ?? "")
    for (const w of b.woken) console.log("      woken", n(w))
    for (const t of b.timersCleared) console.log("      cleared", n(t.task), t.key)
  })
  for (const p of life.pages) console.log(n(p.task), JSON.stringify(p.notes.map((x: any) => x.seq + " " + x.text)))
  console.log(JSON.stringify(life.ending), JSON.stringify(life.left), life.bodies)
}
await Effect.runPromise(Effect.gen(function*() {
  const life = yield* fromTheStart(program, world)
  show(life)
  if (cut !== undefined) { console.log("=========== after", cut); show(yield* after(life.batches.slice(0, cut), { ...world, timing: `${world.timing}/${cut}` })) }
}))
process.exit(0)
