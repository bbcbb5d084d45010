import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Credentials } from "../../../src/internal/client/Credentials.ts"

const tokens = (access: string) => ({ access_token: access, token_type: "Bearer", issuer: "https://as.test" })

const inFolder = async (use: (file: string) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), "coppice-credentials-"))
  try {
    await use(join(folder, "below", "tokens.json"))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("credentials", () => {
  it("stay in memory without a file", async () => {
    const kept = new Credentials("https://a.test", undefined)
    await kept.write({ tokens: tokens("1") })
    assert.strictEqual((await kept.read()).tokens?.access_token, "1")
    assert.deepStrictEqual(await new Credentials("https://a.test", undefined).read(), {})
  })

  it("are kept by server in a file nobody else can read", () =>
    inFolder(async (file) => {
      const a = new Credentials("https://a.test", file)
      const b = new Credentials("https://b.test", file)
      await Promise.all([a.write({ tokens: tokens("a") }), b.write({ tokens: tokens("b") })])
      await a.write({ client: { client_id: "c" } })
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      const again = await new Credentials("https://a.test", file).read()
      assert.deepStrictEqual([again.tokens?.access_token, again.client?.client_id], ["a", "c"])
      assert.include(readFileSync(file, "utf8"), "https://b.test")
    }))
})
