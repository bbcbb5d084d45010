/**
 * What can be set, and from where: `coppice.config.ts` < environment < flags, then the defaults.
 *
 * One table has every setting with its names, its default and its check, so that all three sources are read alike and a
 * misspelt name is answered with the nearest one.
 */
import { nearest } from "@coppice/task/Nearest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isIPv4 } from "node:net"
import { join, resolve } from "node:path"
import { type StartError, usage } from "./StartError.ts"

/** The settings in force. Paths are absolute. */
export interface Settings {
  readonly port: number
  readonly host: string
  /** `memory:` or `sqlite:` and an absolute path. */
  readonly store: string
  /** Where the service keeps its files: the address and token for the CLI, and the default store. */
  readonly data: string
  readonly config: string | undefined
  /** Further `host:port` a browser may know this service by, such as that of a forwarded port. */
  readonly allowedHosts: ReadonlyArray<string>
  readonly logLevel: LogLevel
  /** `token`: whoever calls `/mcp` holds the service's token; `none`: any program of this machine may. */
  readonly mcpAuth: McpAuth
  /** What the code calls itself; recorded with every task. */
  readonly codeVersion: string | undefined
}

export type McpAuth = "token" | "none"

export type LogLevel = "debug" | "info" | "warning" | "error" | "none"

const logLevels: ReadonlyArray<string> = ["debug", "info", "warning", "error", "none"]

interface Setting {
  readonly variable: string
  readonly flag: string
  readonly help: string
  /** `undefined` when the text is fine, else what it should be. */
  readonly check: (value: unknown) => string | undefined
  readonly example: string
}

const isText = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? undefined : "a text that is not empty"

const isPort = (value: unknown): string | undefined => {
  const port = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value
  return Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535 ? undefined : "a number from 0 to 65535"
}

const isLoopback = (value: unknown): string | undefined =>
  typeof value === "string" && (value === "localhost" || value === "::1" || (isIPv4(value) && value.startsWith("127.")))
    ? undefined
    : "a loopback address; this release does not serve other machines"

const isLevel = (value: unknown): string | undefined =>
  typeof value === "string" && logLevels.includes(value) ? undefined : `one of ${logLevels.join(", ")}`

const isMcpAuth = (value: unknown): string | undefined =>
  value === "token" || value === "none" ? undefined : "token or none"

const areHosts = (value: unknown): string | undefined => {
  const hosts = typeof value === "string" ? value.split(",") : value
  const good = Array.isArray(hosts) && hosts.every((host) => typeof host === "string" && /^[^\s/@]+$/.test(host))
  return good ? undefined : "names with their ports, such as example.test:8080"
}

const isStore = (value: unknown): string | undefined => {
  if (typeof value !== "string") return "a URL such as sqlite:.coppice/coppice.db or memory:"
  const parsed = parseStore(value)
  return Result.isFailure(parsed) ? parsed.failure : undefined
}

/** Every setting by its name in a configuration. */
const settings = {
  port: {
    variable: "COPPICE_PORT",
    flag: "port",
    help: "port to listen on; 0 picks one",
    check: isPort,
    example: "4280"
  },
  host: {
    variable: "COPPICE_HOST",
    flag: "host",
    help: "loopback address to bind",
    check: isLoopback,
    example: "127.0.0.1"
  },
  store: {
    variable: "COPPICE_STORE",
    flag: "store",
    help: "memory: or sqlite:PATH",
    check: isStore,
    example: "memory:"
  },
  data: {
    variable: "COPPICE_DATA",
    flag: "data",
    help: "folder of the service's files",
    check: isText,
    example: ".coppice"
  },
  config: {
    variable: "COPPICE_CONFIG",
    flag: "config",
    help: "configuration to load",
    check: isText,
    example: "coppice.config.ts"
  },
  allowedHosts: {
    variable: "COPPICE_ALLOWED_HOSTS",
    flag: "allow-hosts",
    help: "further host:port, separated by commas",
    check: areHosts,
    example: "box.test:8080"
  },
  logLevel: {
    variable: "COPPICE_LOG_LEVEL",
    flag: "log-level",
    help: logLevels.join(" | "),
    check: isLevel,
    example: "debug"
  },
  mcpAuth: {
    variable: "COPPICE_MCP_AUTH",
    flag: "mcp-auth",
    help: "token | none: whether MCP hosts have to know the token",
    check: isMcpAuth,
    example: "token"
  },
  codeVersion: {
    variable: "COPPICE_CODE_VERSION",
    flag: "code-version",
    help: "what the code calls itself, such as a commit",
    check: isText,
    example: "1.4.0"
  }
} as const satisfies Record<string, Setting>

type SettingName = keyof typeof settings

const names = Object.keys(settings) as ReadonlyArray<SettingName>

/** Environment variables other programs of Coppice read. */
const otherVariables = new Set(["COPPICE_URL", "COPPICE_FAILPOINTS", "COPPICE_TOKEN", "COPPICE_GATEWAY"])

/** Settings as they were found, checked but not yet complete. */
export type Found = { readonly [Name in SettingName]?: unknown }

const didYouMean = (word: string, candidates: ReadonlyArray<string>): string => {
  const meant = nearest(word, candidates)
  return meant === undefined ? `use one of ${candidates.join(", ")}` : `did you mean ${meant}?`
}

const checked = (name: SettingName, called: string, value: unknown): Result.Result<unknown, StartError> => {
  const problem = settings[name].check(value)
  return problem === undefined
    ? Result.succeed(value)
    : Result.fail(usage(`${called} cannot be ${JSON.stringify(value) ?? String(value)}`, `give ${problem}`))
}

/** Reads what a configuration's default export says about the service. */
export const fromConfig = Effect.fnUntraced(
  function*(file: string, input: object): Effect.fn.Return<Found, StartError> {
    const known: ReadonlyArray<SettingName> = names.filter((name) => name !== "config")
    const found: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(input)) {
      if (!known.includes(key as SettingName)) {
        return yield* usage(`${file}: there is no setting "${key}"`, didYouMean(key, known))
      }
      if (value === undefined) continue
      found[key] = yield* Effect.fromResult(checked(key as SettingName, `${file}: ${key}`, value))
    }
    return found
  }
)

/** Reads `COPPICE_*`. A variable that looks like a misspelt one is refused; an unrelated one is left alone. */
export const fromEnvironment = Effect.fnUntraced(function*(
  environment: Readonly<Record<string, string | undefined>>
): Effect.fn.Return<Found, StartError> {
  const variables = names.map((name) => settings[name].variable)
  const found: Record<string, unknown> = {}
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith("COPPICE_") || value === undefined || value === "") continue
    const name = names.find((candidate) => settings[candidate].variable === variable)
    if (name !== undefined) {
      found[name] = yield* Effect.fromResult(checked(name, variable, value))
      continue
    }
    const meant = otherVariables.has(variable) ? undefined : nearest(variable, variables)
    if (meant !== undefined) return yield* usage(`There is no variable ${variable}`, `did you mean ${meant}?`)
  }
  return found
})

/** Reads flags: `--port 4280` or `--port=4280`. */
export const fromFlags = Effect.fnUntraced(function*(args: ReadonlyArray<string>): Effect.fn.Return<Found, StartError> {
  const flags = names.map((name) => `--${settings[name].flag}`)
  const found: Record<string, unknown> = {}
  for (let i = 0; i < args.length; i++) {
    const [flag, given] = split(args[i]!)
    const name = names[flags.indexOf(flag)]
    if (name === undefined) {
      return yield* usage(`There is no flag ${flag}`, didYouMean(flag, [...flags, "--help", "--version"]))
    }
    const value = given ?? args[++i]
    if (value === undefined) {
      return yield* usage(`${flag} needs a value`, `for example ${flag} ${settings[name].example}`)
    }
    found[name] = yield* Effect.fromResult(checked(name, flag, value))
  }
  return found
})

const split = (argument: string): readonly [string, string | undefined] => {
  const at = argument.indexOf("=")
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)]
}

/** Reads a store URL and makes its path absolute; the failure is what it should be. */
export const parseStore = (url: string): Result.Result<string, string> => {
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase() ?? ""
  const rest = url.slice(scheme.length + 1)
  if (scheme === "memory" && rest === "") return Result.succeed("memory:")
  if (scheme === "sqlite" && rest === ":memory:") return Result.fail("memory: for a store without a file")
  if (scheme === "sqlite" && rest !== "") return Result.succeed(`sqlite:${resolve(rest.replace(/^\/\/(?=\/)/, ""))}`)
  if (scheme === "postgres" || scheme === "postgresql") {
    return Result.fail("sqlite:PATH or memory:; PostgreSQL stores are not in this release yet")
  }
  const meant = scheme === "" ? undefined : nearest(scheme, ["memory", "sqlite"])
  return Result.fail(`sqlite:PATH or memory:${meant === undefined ? "" : ` (did you mean ${meant}:?)`}`)
}

/** The settings in force: later sources win, then the defaults. */
export const merge = (...sources: ReadonlyArray<Found>): Settings => {
  const found: Found = Object.assign({}, ...sources)
  const data = resolve(typeof found.data === "string" ? found.data : ".coppice")
  const store = Result.getOrElse(parseStore(String(found.store)), () => `sqlite:${join(data, "coppice.db")}`)
  const hosts = found.allowedHosts ?? []
  return {
    port: Number(found.port ?? 4280),
    host: typeof found.host === "string" ? found.host : "127.0.0.1",
    data,
    store,
    config: typeof found.config === "string" ? resolve(found.config) : undefined,
    allowedHosts: (typeof hosts === "string" ? hosts.split(",") : hosts as ReadonlyArray<string>)
      .map((host) => host.trim().toLowerCase()),
    logLevel: (found.logLevel ?? "info") as LogLevel,
    mcpAuth: (found.mcpAuth ?? "token") as McpAuth,
    codeVersion: typeof found.codeVersion === "string" ? found.codeVersion : undefined
  }
}

/** What `--help` prints about the flags. */
export const help = (): string =>
  names.map((name) => {
    const { flag, help, variable } = settings[name]
    return `  --${flag.padEnd(12)} ${help} (${variable})`
  }).join("\n")
