/**
 * An agent meant to be the root of a run: plain code over other agents. The same grammar as `Agent.make`.
 */
import type * as Schema from "effect/Schema"
import { type Agent, type AgentOptions, makeKind, type Pure } from "./Agent.ts"

/** Defines a workflow. */
export const make = <const Name extends string, I extends Pure, O extends Pure, E extends Pure = typeof Schema.Never>(
  name: Name,
  options: AgentOptions<I, O, E>
): Agent<Name, I, O, E> => makeKind("workflow", name, options)
