/**
 * The service's own log on standard error: one line for people on a terminal, one JSON object otherwise.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type { LogLevel as Level } from "./Settings.ts"

const levels: Readonly<Record<Level, LogLevel.LogLevel>> = {
  debug: "Debug",
  info: "Info",
  warning: "Warn",
  error: "Error",
  none: "None"
}

const text = (message: unknown): string => {
  const parts = Array.isArray(message) ? message : [message]
  return parts.map((part) =>
    typeof part === "string" ? part : part instanceof Error ? part.message : JSON.stringify(part)
  )
    .join(" ")
}

/** One line: the whole of it, whatever was logged. */
const oneLine = (value: string): string => value.replace(/\s*[\r\n]+\s*/g, " ⏎ ")

const why = (cause: Cause.Cause<unknown>): string | undefined =>
  cause.reasons.length === 0 ? undefined : Cause.pretty(cause)

const human = Logger.make(({ cause, date, logLevel, message }) => {
  const time = date.toISOString().slice(11, 19)
  const reason = why(cause)?.split("\n")[0]
  return oneLine(
    `${time} ${logLevel.toUpperCase().padEnd(5)} ${text(message)}${reason === undefined ? "" : `: ${reason}`}`
  )
})

const json = Logger.make(({ cause, date, fiber, logLevel, message }) =>
  JSON.stringify({
    time: date.toISOString(),
    level: logLevel.toLowerCase(),
    message: text(message),
    cause: why(cause),
    ...fiber.getRef(References.CurrentLogAnnotations)
  })
)

const toStandardError = (logger: Logger.Logger<unknown, string>): Logger.Logger<unknown, void> =>
  Logger.map(logger, (line) => {
    process.stderr.write(line + "\n")
  })

/** The log at this level. */
export const layer = (level: Level): Layer.Layer<never> =>
  Layer.merge(
    Logger.layer([toStandardError(process.stderr.isTTY ? human : json)]),
    Layer.succeedContext(Context.make(References.MinimumLogLevel, levels[level]))
  )
