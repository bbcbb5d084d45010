/**
 * Signing in, as the official suite's authorization servers see it; and what a provider is made of.
 */
import { assert, describe, it } from "@effect/vitest"
import { UnauthorizedError } from "@modelcontextprotocol/client"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { toAuthorization } from "../src/ClientAuth.ts"

const suite = fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/dist/index.js"))
const program = fileURLToPath(new URL("programs/conformanceClient.ts", import.meta.url))

/** What one scenario of the suite says about our client. */
const conforms = (scenario: string, revision: string) =>
  new Promise<string>((resolve) => {
    const command = `${process.execPath} ${program}`
    const args = [suite, "client", "--command", command, "--scenario", scenario, "--spec-version", revision, "--force"]
    execFile(process.execPath, args, { timeout: 60_000 }, (_, stdout, stderr) => resolve(stdout + stderr))
  })

const scenarios = {
  "auth/metadata-default": "2025-11-25",
  "auth/basic-cimd": "2026-07-28",
  "auth/scope-step-up": "2026-07-28",
  "auth/iss-wrong-issuer": "2026-07-28",
  "auth/client-credentials-basic": "2025-11-25",
  "auth/client-credentials-jwt": "2025-11-25"
}

describe("the official suite", () => {
  for (const [scenario, revision] of Object.entries(scenarios)) {
    it(`passes ${scenario} of ${revision}`, async () => {
      const said = await conforms(scenario, revision)
      assert.match(said, /OVERALL: PASSED/, said.slice(-2_000))
    }, 60_000)
  }
})

describe("a token", () => {
  it("is sent as it is, and shows in nothing that is printed", async () => {
    const auth = { _tag: "Bearer", token: Redacted.make("hush") } as const
    assert.strictEqual(await toAuthorization(auth, "https://a.test").token(), "hush")
    assert.notInclude(JSON.stringify(auth), "hush")
  })
})

describe("a person's consent", () => {
  const person = (state: string) =>
    ({
      _tag: "Person",
      clientName: "test",
      redirectUrl: "http://localhost/callback",
      authorize: () => Effect.succeed(new URLSearchParams({ code: "c", state }))
    }) as const

  it("is asked for once, when the SDK has an address for it", async () => {
    const { consent, provider } = toAuthorization(person("x"), "https://a.test")
    assert.isUndefined(await consent())
    if (!("redirectToAuthorization" in provider)) throw new UnauthorizedError()
    await provider.redirectToAuthorization(new URL("https://as.test/authorize"))
    const failed = await consent().then(() => "", (error: Error) => error.message)
    assert.include(failed, "another sign-in")
  })
})
