import { Artifact, Human } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { integrate } from "../src/Integrate.ts"
import type { FileResult } from "../src/Migrate.ts"
import { writeOutput } from "../src/Output.ts"
import { summarise } from "../src/Summary.ts"
import { type FileReport, Integrate } from "./Contracts.ts"
import { attempt, inventoryOf, step } from "./Effects.ts"

const Approval = Schema.Struct({
  approve: Schema.Boolean.annotate({ title: "Write the migrated files?" })
})

const resultsOf = (reports: ReadonlyArray<FileReport>) =>
  Effect.forEach(
    reports,
    ({ result }) => Effect.map(Effect.orDie(Artifact.readText(result)), (text): FileResult => JSON.parse(text))
  )

const refused = { approved: false, written: 0, kept: [] }

export const IntegrateLive = Integrate.toLayer(
  Effect.fn("integrate")(function*({ inventory: ref, output, reports }) {
    const inventory = yield* inventoryOf(ref)
    const results = yield* resultsOf(reports)
    const answer = yield* Human.ask({
      message: `Write ${output}?\n${summarise(results).text}`,
      form: Approval
    }).pipe(Effect.catchTag("NotAccepted", () => Effect.succeed({ approve: false })))
    if (!answer.approve) return refused
    const tree = yield* attempt(() => integrate(inventory, results))
    // the step is idempotent: each file is written whole or not at all, and the same content again changes nothing
    const { written } = yield* step("write output", { output }, (signal) => writeOutput(output, tree, signal))
    return { approved: true, written, kept: tree.kept.map(({ as, path }) => `${path} → ${as}`) }
  })
)
