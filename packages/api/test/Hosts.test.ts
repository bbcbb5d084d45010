import { assert, describe, it } from "@effect/vitest"
import * as Hosts from "../src/Hosts.ts"

const service = { mcp: "http://127.0.0.1:4280/mcp", tokenFile: undefined, data: undefined }

describe("Hosts", () => {
  it("says how to connect, and where the token stands", () => {
    assert.strictEqual(
      Hosts.overHttp({ ...service, tokenFile: ".coppice/token" }),
      "claude mcp add --transport http coppice http://127.0.0.1:4280/mcp" +
        " --header \"Authorization: Bearer $(cat .coppice/token)\""
    )
    assert.strictEqual(Hosts.overHttp(service), "claude mcp add --transport http coppice http://127.0.0.1:4280/mcp")
    assert.strictEqual(Hosts.overPipe(service), "claude mcp add coppice -- npx coppice mcp")
  })

  it("quotes a folder for the shell", () => {
    assert.strictEqual(
      Hosts.overPipe({ ...service, data: "/tmp/it's here" }),
      "claude mcp add coppice -- npx coppice mcp --data '/tmp/it'\\''s here'"
    )
    assert.include(Hosts.overHttp({ ...service, tokenFile: "/a b/token" }), "$(cat '/a b/token')")
  })
})
