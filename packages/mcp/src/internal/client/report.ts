/**
 * What another Coppice tells of a cancelled tree, read with the care due to whatever comes over a wire.
 */
import { CancelReport } from "@coppice/task/CancelReport"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Meta from "../../Meta.ts"
import { type JsonObject, objectAt } from "./rpc.ts"

const decode = Schema.decodeUnknownOption(CancelReport)

/** More than that no Coppice sends in one report. */
const mostNodes = 10_000

/** The report in a reply, or `undefined` when there is none that can be understood. */
export const reportIn = (reply: JsonObject): CancelReport | undefined => {
  const report = Option.getOrUndefined(decode(objectAt(reply, "_meta")?.[Meta.cancelReport]))
  return report === undefined || report.nodes.length === 0 || report.nodes.length > mostNodes ? undefined : report
}

const words = ({ nodes, omitted, totals }: CancelReport): string =>
  JSON.stringify([totals, omitted, nodes.map(({ id, settlement }) => [id, settlement])])

/** Whether two reports tell the same, but for when somebody is told again. */
export const isSame = (one: CancelReport | undefined, other: CancelReport): boolean =>
  one !== undefined && words(one) === words(other)
