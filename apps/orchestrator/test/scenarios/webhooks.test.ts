/**
 * A service that tells a webhook and is killed: with the message on its way, and before it could keep that it was taken.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Hook, hook, isSigned } from "../support/Hook.ts"
import { config as agents, start } from "../support/Process.ts"
import { ask, folder } from "../support/Service.ts"

const secret = "a secret of the test, long enough"

/** The test agents, and a webhook whose address and secret come from the environment. */
const configuration = (data: string): string => {
  const file = join(data, "coppice.config.ts")
  writeFileSync(
    file,
    `import { Orchestrator } from "${import.meta.resolve("coppice")}"
import config from "${agents}"
export default Orchestrator.make({
  ...config.options,
  webhooks: { ops: { url: process.env.HOOK_URL, secret: "HOOK_SECRET" } }
})
`
  )
  return file
}

const serve = Effect.fnUntraced(function*(data: string, to: Hook) {
  const file = configuration(data)
  const environment = { HOOK_URL: to.url, HOOK_SECRET: secret }
  const running = yield* start(["--config", file, "--port", "0", "--data", data], environment)
  yield* running.line("Ready at")
  return running
})

const submit = Effect.fnUntraced(function*(data: string, text: string) {
  const { token, url } = JSON.parse(readFileSync(join(data, "service.json"), "utf8"))
  const body = JSON.stringify({ agent: "ask", input: { text } })
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
  yield* Effect.promise(() => ask(`${url}/api/v1/tasks`, { method: "POST", headers, body }))
})

describe("a webhook of a service that is killed", () => {
  it.live(
    "gets the message again under the same id, until the service knows that it was taken",
    () =>
      Effect.gen(function*() {
        const data = yield* folder
        const to = yield* hook
        to.answer = () => {}
        const first = yield* serve(data, to)
        yield* submit(data, "Go on?")
        yield* to.some(1)
        yield* first.kill("SIGKILL")
        yield* first.ended
        const second = yield* serve(data, to)
        yield* to.some(2)
        yield* second.kill("SIGKILL")
        yield* second.ended
        to.answer = (_received, response) => response.writeHead(204).end()
        const third = yield* serve(data, to)
        yield* to.some(3)
        assert.lengthOf(new Set(to.received.map(({ headers }) => headers["webhook-id"])), 1)
        assert.lengthOf(new Set(to.received.map(({ body }) => JSON.stringify(JSON.parse(body).data.text))), 1)
        for (const received of to.received) {
          assert.isTrue(yield* Effect.promise(() => isSigned(Buffer.from(secret), received)))
        }
        yield* third.kill("SIGTERM")
        const { lines } = yield* third.ended
        assert.notInclude(lines.join("\n"), secret)
        const fourth = yield* serve(data, to)
        yield* fourth.kill("SIGTERM")
        yield* fourth.ended
        assert.lengthOf(to.received, 3)
      }),
    60_000
  )
})
