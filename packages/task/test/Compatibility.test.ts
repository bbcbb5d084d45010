import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { compare, mismatches } from "../src/Compatibility.ts"
import { type Contract, jsonSchemaOf } from "../src/Contract.ts"

const S = Schema
const why = (from: Schema.Top, to: Schema.Top) =>
  mismatches(jsonSchemaOf(from), jsonSchemaOf(to)).map(({ message, path }) => `${path}: ${message}`)

const same: ReadonlyArray<readonly [string, Schema.Top, Schema.Top]> = [
  ["an optional property is added", S.Struct({ a: S.String }), S.Struct({ a: S.String, b: S.optionalKey(S.Int) })],
  ["a property becomes optional", S.Struct({ a: S.String }), S.Struct({ a: S.optionalKey(S.String) })],
  ["an enum is widened", S.Literals(["a"]), S.Literals(["a", "b"])],
  ["an integer becomes a number", S.Struct({ n: S.Int }), S.Struct({ n: S.Finite })],
  ["null is allowed", S.String, S.NullOr(S.String)],
  ["anything is allowed", S.String, S.Json],
  ["a bound is loosened", S.String.check(S.isMinLength(3)), S.String.check(S.isMinLength(2))],
  ["a member joins a union", S.Union([S.String, S.Int]), S.Union([S.String, S.Int, S.Boolean])]
]

const broken: ReadonlyArray<readonly [string, Schema.Top, Schema.Top, string]> = [
  ["a required property", S.Struct({}), S.Struct({ a: S.String }), "a: is required and was not there"],
  ["required now", S.Struct({ a: S.optionalKey(S.Int) }), S.Struct({ a: S.Int }), "a: is now required"],
  ["an enum is narrowed", S.Literals(["a", "b"]), S.Literals(["a"]), ": may no longer be \"b\""],
  ["a text gets choices", S.String, S.Literals(["a"]), ": may only be \"a\""],
  [
    "another type",
    S.Struct({ a: S.Array(S.Int) }),
    S.Struct({ a: S.Array(S.String) }),
    "a[]: was integer, is now string"
  ],
  ["no null any more", S.NullOr(S.String), S.String, ": was null, is now string"],
  ["a tighter bound", S.String, S.String.check(S.isMaxLength(5)), ": is now limited: maxLength 5"],
  ["a member leaves a union", S.Union([S.String, S.Boolean]), S.Union([S.String]), ": was boolean, is now string"]
]

describe("values of one schema", () => {
  it.each(same)("fit another when %s", (_, from, to) => assert.deepStrictEqual(why(from, to), []))
  it.each(broken)(
    "do not fit another with %s",
    (_, from, to, problem) => assert.deepStrictEqual(why(from, to), [problem])
  )

  it("fit a recursive one that is the same", () => {
    interface Tree {
      readonly children: ReadonlyArray<Tree>
    }
    const Tree: Schema.Codec<Tree> = S.Struct({ children: S.Array(S.suspend((): Schema.Codec<Tree> => Tree)) })
      .annotate({ identifier: "Tree" })
    assert.deepStrictEqual(why(Tree, Tree), [])
    assert.deepStrictEqual(why(Tree, S.Struct({ children: S.Array(Tree) })), [])
  })
})

const leaves: ReadonlyArray<Schema.Top> = [
  S.String,
  S.Int,
  S.Boolean,
  S.Literals(["x", "y"]),
  S.NullOr(S.Finite),
  S.Json
]

/** Some schema, from a row of numbers. */
const grown = (numbers: ReadonlyArray<number>): Schema.Top => {
  const [first = 0, ...rest] = numbers
  if (rest.length === 0) return leaves[first % leaves.length]!
  const half = Math.ceil(rest.length / 2)
  const [left, right] = [grown(rest.slice(0, half)), grown(rest.slice(half))]
  switch (first % 4) {
    case 0:
      return S.Struct({ a: left, b: right })
    case 1:
      return S.Struct({ a: S.optionalKey(left), c: right })
    case 2:
      return S.Array(left)
    default:
      return S.Union([left, right])
  }
}

const numbers = Arbitrary.array(
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))),
  { minLength: 1, maxLength: 10 }
)

it.prop("a schema fits itself, and itself with one more optional property", [numbers], ([numbers]) => {
  const schema = grown(numbers)
  assert.deepStrictEqual(why(schema, schema), [])
  const [before, after] = [S.Struct({ a: schema }), S.Struct({ a: schema, more: S.optionalKey(S.String) })]
  assert.deepStrictEqual(why(before, after), [])
})

describe("two builds", () => {
  const contract = (more: Partial<Contract> = {}): Contract => ({
    name: "review",
    description: "",
    version: "1",
    kind: "agent",
    input: jsonSchemaOf(S.Struct({ path: S.String, deep: S.optionalKey(S.Boolean) })),
    output: jsonSchemaOf(S.Struct({ verdict: S.Literals(["ok", "fix"]) })),
    error: null,
    policy: "slow",
    content: false,
    listed: true,
    concurrency: 1,
    queue: 1,
    attempts: 1,
    ...more
  })
  const told = (more: Partial<Contract>) =>
    compare([contract()], [contract(more)]).map(({ breaks, message, part, path }) =>
      `${breaks ? "✖" : "·"} ${part} ${path} ${message}`
    )

  it("are the same when nothing changed, and read input and output in opposite directions", () => {
    assert.deepStrictEqual(told({}), [])
    assert.deepStrictEqual(told({ output: jsonSchemaOf(S.Struct({ verdict: S.Literals(["ok"]) })) }), [])
    assert.deepStrictEqual(told({ output: jsonSchemaOf(S.Struct({ verdict: S.Literals(["ok", "fix", "no"]) })) }), [
      "✖ output verdict may no longer be \"no\""
    ])
    assert.deepStrictEqual(told({ output: jsonSchemaOf(S.Struct({})) }), [
      "✖ output verdict is required and was not there"
    ])
    assert.deepStrictEqual(told({ input: jsonSchemaOf(S.Struct({ path: S.String })) }), [
      "✖ input deep was removed: what callers send is passed over"
    ])
    assert.deepStrictEqual(told({ error: jsonSchemaOf(S.String) }), [
      "✖ error  callers did not expect any declared error"
    ])
    assert.deepStrictEqual(told({ kind: "workflow", policy: "required", listed: false }), [
      "· agent  was agent, is now workflow",
      "✖ agent  task policy was slow, is now required",
      "✖ agent  is no longer offered to MCP hosts"
    ])
  })

  it("tell of agents that are gone and new", () => {
    const changes = compare([contract()], [contract({ name: "lint" })])
    assert.deepStrictEqual(changes.map(({ agent, breaks, message }) => [agent, breaks, message]), [
      ["review", true, "is gone"],
      ["lint", false, "is new"]
    ])
  })
})
