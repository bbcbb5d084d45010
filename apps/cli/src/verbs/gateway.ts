/**
 * `coppice gateway`: any MCP server behind a service of its own, so that its slow tools become durable tasks with an
 * inbox, cancellation and a trace, and the server need not change.
 *
 * On a pipe it speaks MCP, for hosts that start their servers themselves; at a terminal, or with a port, it serves HTTP.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { basename, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { badInput, failureOf } from "../Failure.ts"
import { Host } from "../Host.ts"
import { launch } from "../Launch.ts"
import { Bridge } from "../mcp/Bridge.ts"
import { Way } from "../mcp/Way.ts"
import { main } from "./serve.ts"

export interface Options {
  /** The server's program and its arguments. */
  readonly command: ReadonlyArray<string>
  /** Or its address. */
  readonly url: string | undefined
  readonly name: string | undefined
  readonly data: string | undefined
  readonly port: string | undefined
}

const config = fileURLToPath(new URL("../../../orchestrator/src/gateway.config.ts", import.meta.url))

/** A name of MCP's grammar for a server nobody named. */
const nameOf = ({ command, name, url }: Options): string => {
  const words = command.filter((word) => !word.startsWith("-"))
  const best = name ?? (url === undefined ? basename(words.at(-1) ?? "server") : new URL(url).hostname)
  return best.replaceAll(/[^\w.-]+/g, "-").slice(0, 60)
}

interface Target {
  readonly name: string
  /** Where the gateway keeps its tasks: one folder for each server. */
  readonly data: string
  readonly text: string
}

const targetOf = (options: Options, cwd: string): Target => {
  const { command: [command, ...args], data, url } = options
  if ((command === undefined) === (url === undefined)) {
    throw badInput("A gateway needs one server: give its command after --, or its address with --url")
  }
  if (url !== undefined && URL.parse(url) === null) throw badInput(`--url: ${url} is no address`)
  const name = nameOf(options)
  const text = JSON.stringify(url === undefined ? { name, command, args } : { name, url })
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8)
  return { name, text, data: resolve(cwd, data ?? join(".coppice", "gateways", `${name}-${digest}`)) }
}

export const gateway = Effect.fn("gateway")(function*(options: Options) {
  const host = yield* Host
  const target = yield* Effect.try({ try: () => targetOf(options, host.cwd), catch: failureOf })
  // the service reads it; a child of a child has it too
  process.env["COPPICE_GATEWAY"] = target.text
  const flags = ["--config", config, "--port", options.port ?? "0"]
  if (options.port !== undefined || host.canAsk) return yield* launch(main, ["--data", target.data, ...flags])
  const way = new Way({ url: undefined, data: target.data, cwd: host.cwd, env: {} }, flags)
  const bridge = new Bridge({
    way,
    ...host.pipe,
    say: (line) => host.err.write(`coppice gateway: ${line}\n`)
  })
  return yield* Effect.as(
    Effect.tryPromise({ try: () => bridge.run(), catch: failureOf }),
    0
  )
})
