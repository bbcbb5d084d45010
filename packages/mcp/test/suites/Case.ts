/**
 * A case of a suite: which points of the specification it shows, and how.
 */
import type { TaskId } from "@coppice/task/Task"
import type { Bench } from "../support/Bench.ts"

export interface Case {
  readonly points: ReadonlyArray<number>
  readonly name: string
  /** Something only this wire has. */
  readonly only?: "HTTP" | "stdio"
  readonly run: (bench: Bench) => Promise<void>
}

/** The name of a test says which points it shows. */
export const titleOf = ({ name, points }: Pick<Case, "name" | "points">): string =>
  `${points.map((point) => `#${point}`).join(" ")} ${name}`

/** What a client that can do everything but tasks declares. */
export const everything = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} }

/** The public id behind a handle. */
export const idOf = ({ taskId }: { readonly taskId: string }): TaskId => taskId.slice(0, 20) as TaskId

const leaf = [["ask", "q"], ["complete"]]

/** Three levels, on which five questions are asked at once. */
export const deep = [
  ["child", "one", [["child", "a", leaf], ["child", "b", leaf], ["ask", "q"]]],
  ["child", "two", [["child", "a", leaf]]],
  ["ask", "q"]
]

/** Orders in which five questions may be answered. */
export const orders = [[3, 0, 4, 1, 2], [1, 4, 2, 0, 3]]
