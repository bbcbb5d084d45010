import * as Effect from "effect/Effect"
import * as Replay from "./test/support/Replay.ts"
const from = Number(process.argv[2]), count = Number(process.argv[3]), cuts = Number(process.argv[4] ?? 12)
await Effect.runPromise(Effect.gen(function*() {
  for (let seed = from; seed < from + count; seed++) {
    const t = performance.now()
    const [program, world] = Replay.story(seed)
    if (seed % 50 === 0) process.stdout.write(`${seed} `)
    const timer = setTimeout(() => {}, 0); clearTimeout(timer)
    const cause = yield* Replay.fails(program, world, cuts)
    const ms = performance.now() - t
    if (ms > 3000) console.log(seed, ms.toFixed(0), JSON.stringify(program).length)
    if (cause !== undefined) { console.log(yield* Replay.report(seed, cuts, cause)); if (process.argv[5] !== "all") break }
  }
}))
process.exit(0)
