import { assert, describe, it } from "@effect/vitest"
import { webUrl } from "../../src/ui/WebUrl.ts"

describe("webUrl", () => {
  it.each(["http://a.test/x", "https://a.test", "HTTPS://A.TEST"])(
    "lets %s be a link",
    (text) => assert.isDefined(webUrl(text))
  )

  it.each([
    "",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "//a.test",
    "/x"
  ])(
    "lets %j be a text",
    (text) => assert.isUndefined(webUrl(text))
  )
})
