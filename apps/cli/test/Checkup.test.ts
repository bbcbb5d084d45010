import { assert, describe, it } from "@effect/vitest"
import * as Checkup from "../src/Checkup.ts"
import { texts } from "./support/fixtures.ts"

const giga = 1024 ** 3

describe("Checkup", () => {
  it("judges Node", () =>
    assert.deepStrictEqual(
      ["v20.20.2", "v22.18.9", "v22.19.0", "v24.0.0", "v100.1.0"].map((version) => Checkup.checkNode(version).level),
      ["fail", "fail", "ok", "ok", "ok"]
    ))

  it("judges releases, files and agents", () => {
    assert.strictEqual(Checkup.checkVersions("1.0.0", "1.0.1").level, "warn")
    assert.strictEqual(Checkup.checkServiceFile({ path: "service.json", mode: 0o100644 }).level, "fail")
    assert.strictEqual(Checkup.checkServiceFile({ path: "service.json", mode: 0o100600 }).level, "ok")
    assert.strictEqual(Checkup.checkAgents([{ name: "a", state: "stopped" }]).message, "a is stopped")
  })

  it("names whoever blocked the event loop last", () => {
    const blocks = [{ agent: "early", at: 1_000, millis: 900 }, { agent: "late", at: 5_000, millis: 2_000 }]
    assert.deepInclude(Checkup.checkLoop(blocks, 65_000), {
      level: "warn",
      message: `"late" blocked the event loop for 2.0s, 1m 00s ago`
    })
    assert.strictEqual(Checkup.checkLoop([], 0).level, "ok")
  })

  it("judges the median, not the worst", () => {
    assert.strictEqual(Checkup.checkLatency([1, 2, 3, 900, 900]).message, "a read takes 3.0ms")
    assert.strictEqual(Checkup.checkLatency([80, 80, 80]).level, "warn")
    assert.strictEqual(Checkup.checkLatency([800]).level, "fail")
  })

  it("judges clocks as far as a second tells", () => {
    assert.strictEqual(Checkup.checkClock(900, 5).level, "ok")
    assert.strictEqual(Checkup.checkClock(-2_500, 100).level, "ok")
    assert.deepInclude(Checkup.checkClock(10_000, 5), { level: "warn", message: "the service's clock is 10.0s behind" })
    assert.strictEqual(Checkup.checkClock(-120_000, 5).level, "fail")
  })

  it("judges the disk", () =>
    assert.deepStrictEqual([50 * giga, giga, giga / 10].map((free) => Checkup.checkDisk(free, "x").level), [
      "ok",
      "warn",
      "fail"
    ]))

  it("tells each, with its fix", () => {
    const checks = [Checkup.checkNode("v24.0.0"), Checkup.checkDisk(giga * 1.5, ".coppice")]
    assert.deepStrictEqual(texts(Checkup.checkLines(checks)), [
      "✔ node  24.0.0",
      "! disk  1.5 GB free in .coppice",
      "        → free some space: without any, the service takes no more work"
    ])
    assert.strictEqual(Checkup.summary(checks), "1 ok, 1 warning")
  })
})
