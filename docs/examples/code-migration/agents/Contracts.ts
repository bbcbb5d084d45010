/** What the agents of the migration promise each other. */
import { Agent, Artifact, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A failure a person can do something about: a wrong folder, output in the way. */
export class MigrationError extends Schema.TaggedError<MigrationError>()("MigrationError", {
  message: Schema.String
}) {}

/** What became of one file. */
export const FileReport = Schema.Struct({
  path: Schema.String,
  status: Schema.Literals(["migrated", "unchanged", "failed"]),
  added: Schema.Int,
  removed: Schema.Int,
  /** Why it failed, with the place. */
  failure: Schema.NullOr(Schema.String),
  /** The rewritten source and everything about it, kept beside the log. */
  result: Artifact.ArtifactRef
})
export type FileReport = typeof FileReport.Type

export const Scan = Agent.make("scan", {
  description: "Maps the modules of a folder: what requires what, and which files are in a cycle",
  input: Schema.Struct({ source: Schema.String }),
  output: Schema.Struct({
    root: Schema.String,
    name: Schema.String,
    files: Schema.Array(Schema.String),
    cycles: Schema.Int,
    inventory: Artifact.ArtifactRef
  }),
  error: MigrationError
})

export const MigrateFile = Agent.make("migrate-file", {
  description: "Rewrites one CommonJS file as an ES module",
  input: Schema.Struct({ inventory: Artifact.ArtifactRef, path: Schema.String }),
  output: FileReport,
  error: MigrationError,
  concurrency: 16
})

export const Integrate = Agent.make("integrate", {
  description: "Shows the summarised change to a person and, once approved, writes it to the output folder",
  input: Schema.Struct({
    inventory: Artifact.ArtifactRef,
    output: Schema.String,
    reports: Schema.Array(FileReport)
  }),
  output: Schema.Struct({
    approved: Schema.Boolean,
    written: Schema.Int,
    kept: Schema.Array(Schema.String)
  }),
  error: MigrationError
})

export const Verify = Agent.make("verify", {
  description: "Compares the migrated package with the original on generated inputs, in processes of their own",
  input: Schema.Struct({
    original: Schema.String,
    migrated: Schema.String,
    checks: Schema.Int,
    seed: Schema.Int
  }),
  output: Schema.Struct({
    compared: Schema.Int,
    equal: Schema.Int,
    exportsCompared: Schema.Int,
    modulesLoaded: Schema.Int,
    differences: Schema.Array(Schema.String)
  }),
  error: MigrationError
})

export const Migrate = Workflow.make("migrate", {
  description: "Moves a folder of CommonJS JavaScript to ES modules",
  input: Schema.Struct({
    /** The folder to migrate; the published source of `semver` when left out. */
    source: Schema.optionalKey(Schema.String),
    /** Where the result goes; must not overlap the source. */
    output: Schema.optionalKey(Schema.String),
    checks: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(10_000))),
    seed: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1)))
  }),
  output: Schema.Struct({
    source: Schema.String,
    output: Schema.String,
    approved: Schema.Boolean,
    migrated: Schema.Int,
    unchanged: Schema.Int,
    failures: Schema.Array(Schema.Struct({ path: Schema.String, why: Schema.String })),
    kept: Schema.Array(Schema.String),
    linesAdded: Schema.Int,
    linesRemoved: Schema.Int,
    cycles: Schema.Int,
    compared: Schema.Int,
    equal: Schema.Int,
    exportsCompared: Schema.Int,
    modulesLoaded: Schema.Int,
    differences: Schema.Array(Schema.String)
  }),
  error: MigrationError
})
