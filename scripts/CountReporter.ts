/**
 * The vitest reporter behind `npm test`: it writes what happened to the file named by COPPICE_TEST_COUNTS.
 *
 * It prints nothing, because only a process that outlives vitest can promise to print last (`test.ts` does). A test
 * says why it is skipped by `ctx.skip("why")`, or by a last parenthesis in its name or in the name of a group around
 * it: "builds the binary (needs JAEGER_BIN)".
 */
import { writeFileSync } from "node:fs"
import { relative } from "node:path"
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from "vitest/node"

/** What `test.ts` reads. */
export interface Counts {
  readonly passed: number
  readonly failures: ReadonlyArray<string>
  readonly skips: ReadonlyArray<{ readonly test: string; readonly why: string | undefined }>
}

const nameOf = (entity: TestCase | TestSuite) =>
  `${relative(process.cwd(), entity.module.moduleId)} > ${entity.fullName}`

const groupsOf = (test: TestCase) => {
  const names = [test.name]
  for (let parent = test.parent; parent.type === "suite"; parent = parent.parent) names.push(parent.name)
  return names
}

const whySkipped = (test: TestCase): string | undefined => {
  if (test.options.mode === "todo") return "to be written"
  const result = test.result()
  const note = result.state === "skipped" ? result.note : undefined
  return note ?? groupsOf(test).map((name) => /\(([^()]+)\)$/.exec(name)?.[1]).find((why) => why !== undefined)
}

const broken = (entity: TestModule | TestSuite, name: string) =>
  entity.errors().map((error) => `${name}: ${error.message}`)

/** Counts one run; every test ends in exactly one of the three groups. */
export const count = (modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<SerializedError>): Counts => {
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const suites = modules.flatMap((module) => [...module.children.allSuites()])
  const inState = (...states: ReadonlyArray<string>) => tests.filter((test) => states.includes(test.result().state))
  return {
    passed: inState("passed").length,
    failures: [
      ...inState("failed").map(nameOf),
      ...inState("pending").map((test) => `${nameOf(test)}: never ran`),
      ...modules.flatMap((module) => broken(module, relative(process.cwd(), module.moduleId))),
      ...suites.flatMap((suite) => broken(suite, nameOf(suite))),
      ...unhandled.map((error) => `outside every test: ${error.message}`)
    ],
    skips: inState("skipped").map((test) => ({ test: nameOf(test), why: whySkipped(test) }))
  }
}

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<SerializedError>) {
    const file = process.env["COPPICE_TEST_COUNTS"]
    if (file !== undefined) writeFileSync(file, JSON.stringify(count(modules, unhandled)))
  }
}
