import { describe, it } from "@effect/vitest"
import { titleOf } from "../suites/Case.ts"
import { clientCases as cases2025 } from "../suites/clients/Client2025.ts"
import { clientCases as cases2026 } from "../suites/clients/Client2026.ts"
import { benchOf } from "../suites/clients/ClientCase.ts"
import { wires } from "../support/Bench.ts"

describe.each(wires)("a client over %s", (wire) => {
  it.live.each(cases2025.map((one) => [titleOf(one), one] as const))(
    "2025-11-25 %s",
    ([, one]) => one.run(benchOf(wire))
  )
  it.live.each(cases2026.map((one) => [titleOf(one), one] as const))(
    "2026-07-28 %s",
    ([, one]) => one.run(benchOf(wire))
  )
})
