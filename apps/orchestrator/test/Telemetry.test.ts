import { assert, describe, it } from "@effect/vitest"
import { isEnabled } from "../src/Telemetry.ts"

describe("Telemetry", () => {
  it("is on when an endpoint is set, and nothing switches it off", () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" }
    assert.isTrue(isEnabled(endpoint))
    assert.isTrue(isEnabled({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:4318/v1/traces" }))
    assert.isFalse(isEnabled({}))
    assert.isFalse(isEnabled({ OTEL_EXPORTER_OTLP_ENDPOINT: "" }))
    assert.isFalse(isEnabled({ ...endpoint, OTEL_SDK_DISABLED: "TRUE" }))
    assert.isFalse(isEnabled({ ...endpoint, OTEL_TRACES_EXPORTER: "none" }))
  })
})
