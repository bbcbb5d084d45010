/**
 * How a Coppice tells its part of a tree to the one that called for it: in `_meta` of the reply to a request that asks.
 */
import { Elsewhere } from "@coppice/task/LiveTree"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Meta from "../Meta.ts"

/** The most tasks one reply lists: some 400 characters each. */
const mostListed = 2_000

const decode = Schema.decodeUnknownOption(Elsewhere)

/** The tree in a reply, or `undefined` when there is none that can be understood. */
export const readTree = (meta: Schema.JsonObject | undefined): Elsewhere | undefined =>
  Option.getOrUndefined(decode(meta?.[Meta.tree]))

/** From the top, parents before children. */
export const writeTree = ({ away, nodes, omitted = 0 }: Elsewhere): Schema.JsonObject => {
  const more = omitted + Math.max(0, nodes.length - mostListed)
  return {
    nodes: nodes.slice(0, mostListed).map((node) => ({ ...node })),
    away: away.map((one) => ({ ...one })),
    ...more === 0 ? {} : { omitted: more }
  }
}
