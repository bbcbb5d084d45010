/** How the agents touch the world: every body of a step goes through here. */
import { Artifact, Step } from "coppice"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { appendFileSync } from "node:fs"
import type { Inventory } from "../src/Inventory.ts"
import { MigrationError } from "./Contracts.ts"

const messageOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/**
 * With `COPPICE_EFFECTS` set to a file, every effect leaves a line in it, with its idempotency key: a witness of what
 * really happened, which the log can be compared with.
 */
const witness = Effect.map(Step.idempotencyKey, (key) => {
  const file = process.env["COPPICE_EFFECTS"]
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ key, at: Date.now(), pid: process.pid })}\n`)
})

/** A recorded effect on the world; what goes wrong is told in one sentence. */
export const step = <A>(name: string, input: Json, body: (signal: AbortSignal) => Promise<A>) =>
  Step.run(
    name,
    input,
    Effect.tryPromise({ try: body, catch: (cause) => new MigrationError({ message: messageOf(cause) }) }).pipe(
      Effect.tap(witness)
    )
  )

/** The same for an effect that also keeps an artifact. */
export const stepKeeping = <A, R>(name: string, input: Json, body: Effect.Effect<A, MigrationError, R>) =>
  Step.run(name, input, Effect.tap(body, witness))

export const attempt = <A>(body: () => Promise<A>): Effect.Effect<A, MigrationError> =>
  Effect.tryPromise({ try: body, catch: (cause) => new MigrationError({ message: messageOf(cause) }) })

/** Keeps a value beside the log. */
export const keep = (value: unknown) => Effect.orDie(Artifact.write(JSON.stringify(value), "application/json"))

const inventories = new Map<string, Inventory>()

/** The scanned inventory; every file's agent needs it, so the last few are remembered. */
export const inventoryOf = Effect.fn("inventoryOf")(function*(ref: Artifact.ArtifactRef) {
  const known = inventories.get(ref.digest)
  if (known !== undefined) return known
  const inventory: Inventory = JSON.parse(yield* Effect.orDie(Artifact.readText(ref)))
  if (inventories.size > 4) inventories.clear()
  inventories.set(ref.digest, inventory)
  return inventory
})
