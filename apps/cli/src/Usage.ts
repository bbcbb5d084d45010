/**
 * What is wrong with a command line, in one line, and what was probably meant.
 */
import type * as CliError from "effect/cli/CliError"
import { badInput, type Failure } from "./Failure.ts"

const help = (path: ReadonlyArray<string>): string => `${path.join(" ")} --help`

const meant = (suggestions: ReadonlyArray<string>, path: ReadonlyArray<string>): string =>
  suggestions.length === 0 ? help(path) : `did you mean ${suggestions.join(" or ")}?`

/** The words of `effect/cli` without its own beginnings. */
const expectation = (text: string): string => text.replace(/^Expected:?\s*/, "").replace(/\.$/, "")

/** One error of the parser. */
export const usageFailure = (error: CliError.NonShowHelpErrors, path: ReadonlyArray<string>): Failure => {
  const verb = path.join(" ")
  switch (error._tag) {
    case "UnrecognizedOption":
      return badInput(`${verb} has no flag ${error.option}`, meant(error.suggestions, path))
    case "UnknownSubcommand":
      return badInput(`There is no command ${error.subcommand}`, meant(error.suggestions, path))
    case "MissingArgument":
      return badInput(`${verb} needs <${error.argument}>`, help(path))
    case "MissingOption":
      return badInput(`${verb} needs --${error.option}`, help(path))
    case "UnexpectedArgument":
      return badInput(`${verb} takes no ${error.arguments.map((text) => JSON.stringify(text)).join(", ")}`, help(path))
    case "InvalidValue": {
      const what = error.kind === "flag" ? `--${error.option}` : `<${error.option}>`
      const said = error.value === "" ? `${what} needs a value` : `${what} cannot be ${JSON.stringify(error.value)}`
      return badInput(said, `give ${expectation(error.expected)}`)
    }
    default:
      return badInput(error.message.split("\n")[0]!, help(path))
  }
}
