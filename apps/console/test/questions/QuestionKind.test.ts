import type { InputRequest } from "@coppice/api/Api"
import { assert, describe, it } from "@effect/vitest"
import { kindOf } from "../../src/questions/QuestionKind.ts"

const request = (rest: Partial<InputRequest>): InputRequest => ({
  key: "ask:1",
  mode: "form",
  message: "Go on?",
  schema: null,
  url: null,
  deadline: null,
  ...rest
})

const approval = { tool: "send", arguments: {}, policy: "1", digest: "d", expires: null }

describe("kindOf", () => {
  it.each(
    [
      [{}, "question"],
      [{ approval }, "approval"],
      [{ mode: "url", url: "https://example.com" }, "url"],
      [{ about: "outcome_unknown" }, "outcome"],
      [{ key: "budget:soft" }, "budget"],
      [{ key: "upgrade:2" }, "upgrade"],
      [{ mode: "sampling" }, "client"],
      [{ mode: "roots" }, "client"]
    ] as const
  )("%j is %s", (rest, name) => assert.strictEqual(kindOf(request(rest)).name, name))
})
