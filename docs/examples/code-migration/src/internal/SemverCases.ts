/** Calls of everything `semver` exports, with versions and ranges that are good, odd and wrong. */
import { callOf, type Case, type CaseSource } from "../Case.ts"
import type { Random } from "./Random.ts"

const releases = ["major", "premajor", "minor", "preminor", "patch", "prepatch", "prerelease", "release", "pre", "bad"]
const operators = ["", "=", "==", "===", "!=", "!==", ">", ">=", "<", "<=", "~", "^", "~>", "=>"]
const tags = ["alpha", "beta", "rc", "0", "1", "007", "x-y-z", "pre.2", "-1"]
const oddities = ["", " ", "1", "1.2", "not a version", "1.2.3.4", "01.2.3", "1.2.3-", "v", "9007199254740992.0.0", "*"]
const options = [undefined, undefined, true, false, { loose: true }, { includePrerelease: true }, { rtl: true }, null]

const numberText = (random: Random): string =>
  random.oneIn(40) ? "99999999999999999999" : String(random.below(random.oneIn(4) ? 1000 : 5))

const version = (random: Random): string => {
  const core = random.list(3, () => numberText(random)).join(".")
  const pre = random.oneIn(3) ? `-${random.list(1 + random.below(2), () => random.pick(tags)).join(".")}` : ""
  const build = random.oneIn(6) ? `+build.${random.below(9)}` : ""
  const prefix = random.oneIn(8) ? random.pick(["v", "=", " v", "V"]) : ""
  return random.oneIn(15) ? random.pick(oddities) : prefix + core + pre + build
}

const partial = (random: Random): string => {
  const parts = random.list(
    1 + random.below(3),
    () => random.oneIn(5) ? random.pick(["x", "X", "*"]) : numberText(random)
  )
  return parts.join(".")
}

const comparator = (random: Random): string =>
  random.pick(operators) + (random.oneIn(8) ? " " : "") + (random.oneIn(3) ? partial(random) : version(random))

const range = (random: Random): string => {
  const simple = () =>
    random.oneIn(6)
      ? `${partial(random)} - ${partial(random)}`
      : random.list(1 + random.below(2), () => comparator(random)).join(" ")
  return random.list(1 + (random.oneIn(3) ? random.below(3) : 0), simple).join(" || ")
}

const versions = (random: Random) => random.list(random.below(6), () => version(random))

const odd = (random: Random): unknown => random.pick([undefined, null, 42, {}, [], "x".repeat(300), true])

type Arguments = (random: Random) => ReadonlyArray<unknown>

const option = (random: Random): unknown => random.pick(options)
const one: Arguments = (random) => [random.oneIn(25) ? odd(random) : version(random), option(random)]
const two: Arguments = (random) => [version(random), random.oneIn(25) ? odd(random) : version(random), option(random)]
const inRange: Arguments = (random) => [version(random), range(random), option(random)]
const list: Arguments = (random) => [versions(random), option(random)]
const listInRange: Arguments = (random) => [versions(random), range(random), option(random)]
const ranges: Arguments = (random) => [range(random), range(random), option(random)]
const aRange: Arguments = (random) => [random.oneIn(25) ? odd(random) : range(random), option(random)]
const identifier: Arguments = (random) => random.list(2, () => random.oneIn(3) ? random.below(9) : random.pick(tags))

const functions: Readonly<Record<string, Arguments>> = {
  parse: one,
  valid: one,
  clean: one,
  major: one,
  minor: one,
  patch: one,
  prerelease: one,
  coerce: (random) => random.oneIn(3) ? [`text ${version(random)} ${partial(random)}`, option(random)] : one(random),
  inc: (random) => [version(random), random.pick(releases), option(random), random.pick([...tags, undefined]), "1"],
  truncate: (random) => [version(random), random.pick(releases), option(random)],
  diff: two,
  compare: two,
  rcompare: two,
  compareLoose: two,
  compareBuild: two,
  gt: two,
  lt: two,
  eq: two,
  neq: two,
  gte: two,
  lte: two,
  cmp: (random) => [version(random), random.pick(operators), version(random), option(random)],
  sort: list,
  rsort: list,
  satisfies: inRange,
  gtr: inRange,
  ltr: inRange,
  outside: (random) => [version(random), range(random), random.pick(["<", ">", "?"]), option(random)],
  maxSatisfying: listInRange,
  minSatisfying: listInRange,
  simplifyRange: listInRange,
  minVersion: aRange,
  validRange: aRange,
  toComparators: aRange,
  intersects: ranges,
  subset: ranges,
  compareIdentifiers: identifier,
  rcompareIdentifiers: identifier
}

type Method = (random: Random) => Case

const methods: ReadonlyArray<Method> = [
  (random) => {
    const [text, opts, release, tag] = [version(random), option(random), random.pick(releases), random.pick(tags)]
    const label = `new SemVer(${JSON.stringify(text)}, ${JSON.stringify(opts)}).inc("${release}", "${tag}")`
    return { label, about: "SemVer", run: (api) => new api.SemVer(text, opts).inc(release, tag) }
  },
  (random) => {
    const [a, b, opts] = [version(random), version(random), option(random)]
    const label = `new SemVer(${JSON.stringify(a)}, ${JSON.stringify(opts)}).comparePre(${JSON.stringify(b)})`
    return { label, about: "SemVer", run: (api) => new api.SemVer(a, opts).comparePre(new api.SemVer(b, opts)) }
  },
  (random) => {
    const [text, sample, opts] = [range(random), version(random), option(random)]
    const label = `new Range(${JSON.stringify(text)}, ${JSON.stringify(opts)}).test(${JSON.stringify(sample)})`
    const run: Case["run"] = (api) => {
      const made = new api.Range(text, opts)
      return [made, String(made), made.test(sample)]
    }
    return { label, about: "Range", run }
  },
  (random) => {
    const [a, b, opts] = [comparator(random), comparator(random), option(random)]
    const label = `new Comparator(${JSON.stringify(a)}, ${JSON.stringify(opts)}).intersects(${JSON.stringify(b)})`
    const run: Case["run"] = (api) => {
      const made = new api.Comparator(a, opts)
      return [made, String(made), made.intersects(new api.Comparator(b, opts), opts)]
    }
    return { label, about: "Comparator", run }
  }
]

const names = Object.keys(functions)

export const semverCases: CaseSource = {
  caseAt: (random, index) => {
    const turn = index % (names.length + methods.length)
    const name = names[turn]
    return name === undefined ? methods[turn - names.length]!(random) : callOf(name, functions[name]!(random))
  },
  commands: [
    ["--help"],
    ["1.2.3", "1.10.0", "1.9.0"],
    ["-r", ">=1.3 <2", "1.2.3", "1.10.0"],
    ["-i", "minor", "1.2.3"],
    ["-i", "prerelease", "--preid", "beta", "1.2.3"],
    ["-c", "version v3.4 final"],
    ["not a version"]
  ]
}
