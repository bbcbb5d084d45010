/**
 * `coppice serve` and `coppice dev`: start the service. Their flags are the service's own and go through as they are.
 */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { exitCodes, Failure } from "../Failure.ts"
import { launch } from "../Launch.ts"

/** The service's own program. */
export const main: string = fileURLToPath(new URL("../../../orchestrator/src/main.ts", import.meta.url))

/** The service that takes up edits. */
const development: string = fileURLToPath(new URL("../../../orchestrator/src/dev/main.ts", import.meta.url))

const start = Effect.fnUntraced(function*(program: string, args: ReadonlyArray<string>) {
  if (existsSync(program)) return yield* launch(program, args)
  return yield* new Failure({
    exit: exitCodes.cannotStart,
    message: "The service is not part of this installation",
    fix: "run coppice from a clone of its repository"
  })
})

/** Succeeds with the service's exit code. */
export const serve = Effect.fn("serve")((args: ReadonlyArray<string>) => start(main, args))

/** The same, for development. */
export const dev = Effect.fn("dev")((args: ReadonlyArray<string>) => start(development, args))
