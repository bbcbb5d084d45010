/**
 * One command from its arguments to its exit code, on any host.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { coppice, later } from "./Commands.ts"
import { badInput, type ExitCode, exitCodes, Failure, failureLines } from "./Failure.ts"
import { Host, writeLines } from "./Host.ts"
import { usageFailure } from "./Usage.ts"
import { version } from "./Version.ts"

/** Help and version go to the standard output; a wrong command line is one line on the error output. */
const presenter = (host: Host["Service"]): CliOutput.Presenter => {
  const formatter = CliOutput.defaultFormatter({ colors: host.out.colors })
  return {
    present: (event) =>
      Effect.sync(() => {
        switch (event._tag) {
          case "Help":
            return host.out.write(`${formatter.formatHelpDoc(event.helpDoc)}\n`)
          case "Version":
            return host.out.write(`${event.name} ${event.version}\n`)
          case "InvalidInvocation":
            return writeLines(host.err, failureLines(usageFailure(event.errors[0]!, event.commandPath)))
        }
      })
  }
}

/** Completion scripts are the one thing `effect/cli` prints by the console. */
const console = (host: Host["Service"]): Console.Console =>
  Object.assign(Object.create(globalThis.console), { log: (said: unknown) => host.out.write(`${String(said)}\n`) })

const services = (host: Host["Service"]) =>
  Layer.mergeAll(
    NodeServices.layer,
    CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
    CliOutput.layerPresenter(presenter(host)),
    Layer.succeed(Console.Console, console(host)),
    Layer.succeed(Host, host)
  )

const parse = Command.runWith(coppice, { version })

/** The verb that was typed, past the flags that may stand before it. */
const verbOf = (args: ReadonlyArray<string>): number => {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === "--url" || arg === "--data") index++
    else if (!arg.startsWith("-")) return index
  }
  return -1
}

const dispatch = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const at = verbOf(args)
  const verb = args[at] ?? ""
  const instead = later.get(verb)
  if (instead !== undefined) {
    return yield* badInput(`coppice ${verb} comes in a later release`, `today: ${instead}`)
  }
  if (verb === "serve" || verb === "dev") {
    const verbs = yield* Effect.promise(() => import("./verbs/serve.ts"))
    return yield* verbs[verb](args.toSpliced(at, 1))
  }
  yield* parse(verb === "help" ? [...args.toSpliced(at, 1), "--help"] : args)
  return exitCodes.ok
})

const tell = (host: Host["Service"], failure: Failure): ExitCode => {
  if (failure.message !== "") writeLines(host.err, failureLines(failure))
  return failure.exit
}

const isShowHelp = (error: unknown): error is CliError.ShowHelp =>
  (error as { readonly _tag?: unknown } | undefined)?._tag === "ShowHelp"

/** A bug of this program: one line of it, never its stack. */
const bug = (host: Host["Service"], cause: Cause.Cause<unknown>): ExitCode => {
  const [first = "unknown"] = Cause.pretty(cause).split("\n")
  const message = `This is a fault of coppice itself: ${first}`
  return tell(host, new Failure({ exit: exitCodes.failedTask, message, fix: "please report it, with what you typed" }))
}

/** Runs the command. Whatever happens, its success is an exit code and everything has been said. */
export const run = (args: ReadonlyArray<string>, host: Host["Service"]): Effect.Effect<number> =>
  dispatch(args).pipe(
    Effect.provide(services(host)),
    Effect.exit,
    Effect.map((exit) => {
      if (Exit.isSuccess(exit)) return exit.value
      if (Cause.hasInterruptsOnly(exit.cause)) return exitCodes.interrupted
      const error = Result.getOrUndefined(Cause.findError(exit.cause))
      if (error instanceof Failure) return tell(host, error)
      if (isShowHelp(error)) return error.errors.length > 0 ? exitCodes.badInput : exitCodes.ok
      return bug(host, exit.cause)
    })
  )
