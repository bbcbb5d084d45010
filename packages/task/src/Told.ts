/**
 * What became of a steering for one task.
 */
import * as Schema from "effect/Schema"

/**
 * `applied`: its code hears it here, its limits hold here. `sent`: it is recorded, and on its way to the Coppice that does
 * the task's work, which is told until it has said that it knows. `cannot`: nobody who does its work can be told.
 */
export const Told = Schema.Struct({
  task: Schema.String,
  agent: Schema.String,
  how: Schema.Literals(["applied", "sent", "cannot"]),
  /** The MCP server its work is done on. */
  server: Schema.optionalKey(Schema.String),
  /** Why it cannot. */
  why: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "Told" })
export type Told = typeof Told.Type
