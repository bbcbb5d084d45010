/**
 * Import or keep requiring? One answer for each `require`, the same for the scan and for every migrator.
 *
 * An import is hoisted and always happens. So a `require` becomes one only if it always happened while loading, or if
 * loading the target early cannot be noticed. The others go on as calls of a `require` made by `createRequire`, which
 * loads ES modules too, at the place and the moment where the code asked for it.
 */
import type { FileFacts, RequireFacts } from "../Inventory.ts"
import { reachable } from "./Graph.ts"

export type Files = Readonly<Record<string, FileFacts>>

export type Linkage =
  | { readonly how: "import" }
  | { readonly how: "require"; readonly code: string; readonly why: string; readonly risky: boolean }

const asImport: Linkage = { how: "import" }

const asRequire = (code: string, why: string, risky = false): Linkage => ({ how: "require", code, why, risky })

export const linkageOf = (files: Files, path: string, facts: RequireFacts): Linkage => {
  const { target } = facts
  switch (target.kind) {
    case "computed":
      return asRequire("computed-require", "the module to load is computed at run time", true)
    case "missing":
      return asRequire("missing-target", `"${facts.specifier}" was not found`, !facts.inTry)
    case "builtin":
      return facts.inTry ? asRequire("conditional-require", "the built-in module may be absent") : asImport
    case "package":
      return packageLinkage(facts, target.format, target.name)
    case "file":
      return fileLinkage(files, path, facts, target.path)
  }
}

const packageLinkage = (facts: RequireFacts, format: string, name: string): Linkage => {
  if (facts.guarded) return asRequire("conditional-require", `"${name}" is loaded only on a condition`)
  if (facts.when === "call") return asRequire("lazy-require", `"${name}" is loaded on first use`)
  if (format === "absent") return asRequire("package-absent", `"${name}" is not installed, its format is unknown`, true)
  return format === "module" ? asRequire("package-esm", `import would load another build of "${name}"`) : asImport
}

const fileLinkage = (files: Files, path: string, facts: RequireFacts, target: string): Linkage => {
  const kind = files[target]?.kind
  if (kind === undefined) return asRequire("native-addon", `"${target}" is neither JavaScript nor JSON`)
  if (kind === "esm") return asRequire("esm-target", `"${target}" is an ES module already, whose namespace is used`)
  if (facts.guarded) return asRequire("conditional-require", `"${target}" is loaded only on a condition`)
  if (facts.when === "load" || kind === "json") return asImport
  return canLoadEarly(files, path, target) ? asImport : asRequire("lazy-require", `"${target}" is loaded on first use`)
}

/** Nothing in the target's closure acts while loading, and none of it leads back here. */
const canLoadEarly = (files: Files, path: string, target: string): boolean =>
  !reachable(target, (node) => targets(files, node, () => true)).has(path) && isQuietClosure(files, target)

export const isQuietClosure = (files: Files, target: string): boolean => {
  const atLoad = ({ when }: RequireFacts) => when === "load"
  return [...reachable(target, (node) => targets(files, node, atLoad))].every((node) => {
    const file = files[node]
    if (file?.kind === "json") return true
    return file?.quiet === true && file.refusal === null && file.requires.every((facts) => isQuietRequire(files, facts))
  })
}

/** It stays inside, and takes no member that may be another one later. */
const isQuietRequire = (files: Files, { names, target, when }: RequireFacts): boolean => {
  if (when === "call" || target.kind === "builtin") return true
  if (target.kind !== "file") return false
  const exported = files[target.path]?.exports.names
  return names === null || names.every((name) => exported?.includes(name))
}

export const targets = (
  files: Files,
  path: string,
  wanted: (facts: RequireFacts) => boolean
): ReadonlyArray<string> =>
  (files[path]?.requires ?? []).flatMap((facts) =>
    facts.target.kind === "file" && wanted(facts) ? [facts.target.path] : []
  )
