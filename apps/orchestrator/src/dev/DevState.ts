/**
 * What outlives a kill of `coppice dev`: how far its clock is ahead, and the faults that were asked for.
 */
import { Fault } from "@coppice/api/DevApi"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export const DevState = Schema.Struct({
  /** Milliseconds. */
  ahead: Schema.Finite,
  faults: Schema.Array(Fault)
})
export type DevState = typeof DevState.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(DevState))
const encode = Schema.encodeSync(Schema.fromJsonString(DevState))

const fileIn = (data: string): string => join(data, "dev.json")

/** What was left, if anything can be read. */
export const read = (data: string): DevState => {
  try {
    return Option.getOrElse(decode(readFileSync(fileIn(data), "utf8")), () => ({ ahead: 0, faults: [] }))
  } catch {
    return { ahead: 0, faults: [] }
  }
}

/** Returns once it is written: a kill may follow. */
export const write = (data: string, state: DevState): void =>
  writeFileSync(fileIn(data), `${encode(state)}\n`, { mode: 0o600 })
