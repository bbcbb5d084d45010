/**
 * What a scan found in a folder of JavaScript: plain data, safe to store and to send to another process.
 *
 * The inventory is the only thing two migrators share. Each of them rewrites one file with the facts that stand
 * here about the others, so sixteen can work at once without talking. It describes; it decides nothing but one
 * thing: `refusal` names the files which must stay CommonJS, because that depends on the whole graph.
 */

export interface Location {
  readonly line: number
  readonly column: number
}

/** Why a file cannot become an ES module, and where one sees it. */
export interface Refusal extends Location {
  readonly code: string
  readonly message: string
}

export type FileKind =
  /** CommonJS, to be migrated. */
  | "module"
  /** CommonJS with a shebang, or named by `bin`. */
  | "script"
  | "json"
  /** Already an ES module. */
  | "esm"
  /** Named `.cjs`: CommonJS on purpose, and stays so. */
  | "commonjs"
  | "unparsable"

export type Target =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "builtin"; readonly name: string; readonly unnamed: ReadonlyArray<string> }
  | { readonly kind: "package"; readonly name: string; readonly specifier: string; readonly format: PackageFormat }
  /** Looked for, not there. */
  | { readonly kind: "missing" }
  /** The specifier is an expression. */
  | { readonly kind: "computed" }

/** How `import` would see a package: `module` also means that `require` might see another build of it. */
export type PackageFormat = "commonjs" | "module" | "absent"

export interface RequireFacts extends Location {
  readonly specifier: string | null
  readonly target: Target
  /** While the file loads, or in a function called later. */
  readonly when: "load" | "call"
  readonly guarded: boolean
  readonly inTry: boolean
  /** The names destructured from the value; null when the whole value is used. */
  readonly names: ReadonlyArray<string> | null
  /** What happens to the value before the file has finished loading: nothing, it is kept somewhere, or it is used. */
  readonly atLoad: "untouched" | "held" | "used"
  /** Only for its side effects: nothing looks at the value. */
  readonly effectOnly: boolean
  /** What runs earlier in the file: declarations only, values computed by calls, or statements that act. */
  readonly after: "nothing" | "values" | "actions"
  /** Names assigned on the required value; `*` when they cannot be known. */
  readonly mutates: ReadonlyArray<string>
}

export interface ExportFacts {
  readonly form: ExportForm
  /** Names that can be exported besides the default, because nothing changes them after loading. */
  readonly names: ReadonlyArray<string>
  /** Those of them which a getter provides. */
  readonly late: ReadonlyArray<string>
  /** The default export is a function declaration: usable before its file has run. */
  readonly hoisted: boolean
  /** Files whose names are passed on (`module.exports = require(…)`, `...require(…)`). */
  readonly from: ReadonlyArray<string>
}

export type ExportForm = "none" | "reexport" | "single" | "object" | "replaced" | "emulated"

export interface FileFacts {
  readonly path: string
  readonly kind: FileKind
  readonly sha256: string
  readonly lines: number
  readonly requires: ReadonlyArray<RequireFacts>
  readonly exports: ExportFacts
  /** Loading it only declares things: when it happens makes no difference. */
  readonly quiet: boolean
  readonly refusal: Refusal | null
}

export interface PackageFacts {
  readonly name: string | null
  readonly version: string | null
  /** The file which `require(package)` loads. */
  readonly main: string | null
  readonly exports: unknown
  readonly bin: Readonly<Record<string, string>>
}

export interface Inventory {
  /** Absolute path of the scanned folder. */
  readonly root: string
  readonly package: PackageFacts | null
  /** By path, relative to the root, with forward slashes, sorted. */
  readonly files: Readonly<Record<string, FileFacts>>
  /** Files that are carried over as they are (licence, types, images …). */
  readonly assets: ReadonlyArray<string>
  /** Left out: tests, when they were not asked for, and links. */
  readonly skipped: ReadonlyArray<string>
  /** Groups of files which require one another, lazily or not. */
  readonly cycles: ReadonlyArray<ReadonlyArray<string>>
}
