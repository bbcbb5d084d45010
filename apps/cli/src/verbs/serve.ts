/**
 * `coppice serve`: starts the service. Its flags are the service's own and go through as they are.
 */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { exitCodes, Failure } from "../Failure.ts"
import { launch } from "../Launch.ts"

/** The service's own program. */
export const main: string = fileURLToPath(new URL("../../../orchestrator/src/main.ts", import.meta.url))

/** Succeeds with the service's exit code. */
export const serve = Effect.fn("serve")(function*(args: ReadonlyArray<string>) {
  if (existsSync(main)) return yield* launch(main, args)
  return yield* new Failure({
    exit: exitCodes.cannotStart,
    message: "The service is not part of this installation",
    fix: "run coppice from a clone of its repository"
  })
})
