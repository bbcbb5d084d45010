import { assert, describe, it } from "@effect/vitest"
import { inspect, whole } from "../../src/questions/WebAddress.ts"

describe("WebAddress", () => {
  it("sets the host apart", () => {
    const address = inspect("https://crm.example.com:8443/oauth?next=https://evil.test/#top")!
    assert.deepStrictEqual(address, {
      before: "https://",
      host: "crm.example.com:8443",
      after: "/oauth?next=https://evil.test/#top",
      warnings: []
    })
    assert.strictEqual(whole(address), "https://crm.example.com:8443/oauth?next=https://evil.test/#top")
  })

  it("shows letters of other alphabets as the browser sends them, and warns", () => {
    const { host, warnings } = inspect("https://pаypal.com/login")!
    assert.match(host, /^xn--/)
    assert.strictEqual(warnings.length, 1)
  })

  it.each([
    ["http://example.com/", 1],
    ["http://127.0.0.1:4280/", 0],
    ["http://localhost/", 0],
    ["https://paypal.com@evil.test/", 1],
    ["https://paypal.com:secret@evil.test/", 1],
    ["https://203.0.113.7/", 1],
    ["http://[2001:db8::1]/", 2],
    ["https://0x7f.1/", 0]
  ])("%s has %i warnings", (text, count) => assert.strictEqual(inspect(text)!.warnings.length, count))

  it("keeps user names in sight", () => {
    const address = inspect("https://paypal.com@evil.test/a")!
    assert.deepStrictEqual([address.before, address.host], ["https://paypal.com@", "evil.test"])
    assert.strictEqual(whole(address), "https://paypal.com@evil.test/a")
  })

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "example.com",
    "",
    " "
  ])(
    "opens no %s",
    (text) => assert.isUndefined(inspect(text))
  )
})
