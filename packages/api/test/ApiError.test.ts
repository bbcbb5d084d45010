import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ApiError from "../src/ApiError.ts"

describe("ApiError", () => {
  // A contract: programs decide on these. Add to it; never change a line.
  it("has these codes with these statuses", () => {
    assert.deepStrictEqual(ApiError.statuses, {
      invalid_request: 400,
      invalid_json: 400,
      invalid_input: 400,
      invalid_answer: 400,
      not_a_run: 400,
      unauthorized: 401,
      forbidden_host: 403,
      forbidden_origin: 403,
      link_expired: 403,
      link_invalid: 403,
      not_allowed: 403,
      not_entitled: 403,
      fault_not_found: 404,
      not_in_dev: 404,
      task_not_found: 404,
      unknown_agent: 404,
      route_not_found: 404,
      already_answered: 409,
      already_ended: 409,
      ambiguous_id: 409,
      conflict: 409,
      key_reused: 409,
      link_used: 409,
      no_open_question: 409,
      still_running: 409,
      body_too_large: 413,
      payload_too_large: 413,
      unsupported_media_type: 415,
      queue_full: 429,
      internal: 500,
      agent_unavailable: 503,
      stopping: 503,
      store_stopped: 503,
      store_unavailable: 503,
      too_many_streams: 503
    })
  })

  it("makes each code an error of its status", () => {
    for (const [code, status] of Object.entries(ApiError.statuses)) {
      const error = ApiError.make(code as ApiError.ErrorCode, { message: "m" })
      assert.strictEqual(ApiError.statusOf(error), status)
      assert.deepStrictEqual(error.error, { code, message: "m" })
      assert.isTrue(ApiError.isApiError(error))
      assert.strictEqual(error.message, "m")
    }
    assert.isFalse(ApiError.isApiError(new Error("m")))
  })

  it.effect("puts the seconds to wait into the header and the body, at least one", () =>
    Effect.gen(function*() {
      const error = ApiError.make("queue_full", { message: "full", retryAfter: 0.2 })
      const encoded: unknown = yield* Schema.encodeEffect(ApiError.TooManyRequestsResponse)(error)
      assert.deepStrictEqual(encoded, {
        body: { error: { code: "queue_full", message: "full", retryAfter: 1 } },
        headers: { "retry-after": 1 }
      })
      const unknown = yield* Schema.encodeEffect(ApiError.UnavailableResponse)(
        ApiError.make("stopping", { message: "" })
      )
      assert.deepStrictEqual(unknown.headers, {})
    }))
})
