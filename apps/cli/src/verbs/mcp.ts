/**
 * `coppice mcp`: MCP on the standard streams, for a host that starts its servers itself. Nothing but protocol goes to the
 * standard output; the service it talks to is the one that runs, or one it starts, and outlives it.
 */
import * as Effect from "effect/Effect"
import { failureOf } from "../Failure.ts"
import { Host } from "../Host.ts"
import { Bridge } from "../mcp/Bridge.ts"
import { Way } from "../mcp/Way.ts"

export interface Options {
  readonly url: string | undefined
  readonly data: string | undefined
  readonly config: string | undefined
}

export const mcp = Effect.fn("mcp")(function*({ config, data, url }: Options) {
  const { cwd, env, err, pipe } = yield* Host
  const way = new Way({ url, data, cwd, env }, config === undefined ? [] : ["--config", config])
  const say = (line: string) => err.write(`coppice mcp: ${line}\n`)
  const bridge = new Bridge({ way, ...pipe, say })
  yield* Effect.tryPromise({ try: () => bridge.run(), catch: failureOf })
})
