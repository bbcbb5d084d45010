/**
 * What a cancellation would do.
 *
 * ```text
 * 12 tasks would be cancelled: 9 review, 2 fetch (on far), 1 migrate
 * 1 would go on:
 *   ↷ tidy  01kb2x9f4q…  adopted by 01kb2x9f4p…  with 2 tasks below it
 * 1 question would never be answered:
 *   ? migrate  01kb2x9f4q…  Apply 3 changes?
 * 4 have ended already
 * ```
 */
import type { CancelPreview } from "@coppice/api/TasksApi"
import { type Line, line, muted, spaced, span, strong } from "./Line.ts"

type Released = CancelPreview["released"][number]

const tasks = (count: number): string => `${count} ${count === 1 ? "task" : "tasks"}`

const byAgent = ({ cancelled }: CancelPreview): string => {
  const groups = Map.groupBy(
    cancelled,
    ({ agent, server }) => server === undefined ? agent : `${agent} (on ${server})`
  )
  return [...groups].sort((a, b) => b[1].length - a[1].length).map(([name, { length }]) => `${length} ${name}`).join(
    ", "
  )
}

const releasedLine = ({ agent, below, id, to }: Released): Line =>
  line(
    "  ↷ ",
    ...spaced(
      strong(agent),
      muted(id),
      span(to === undefined ? "on its own" : `adopted by ${to}`),
      below === 0 ? undefined : muted(`with ${tasks(below)} below it`)
    )
  )

const askedLine = ({ agent, message, task }: CancelPreview["people"][number]): Line =>
  line("  ? ", ...spaced(strong(agent), muted(task), span(message)))

export const previewLines = (preview: CancelPreview): ReadonlyArray<Line> => {
  const { cancelled, ended, people, released } = preview
  const many = cancelled.length
  return [
    line(strong(tasks(many)), ` would be cancelled${many === 0 ? "" : `: ${byAgent(preview)}`}`),
    ...released.length === 0
      ? []
      : [line(strong(`${released.length}`), " would go on:"), ...released.map(releasedLine)],
    ...people.length === 0
      ? []
      : [
        line(strong(`${people.length}`), ` ${people.length === 1 ? "question" : "questions"} would never be answered:`),
        ...people.map(askedLine)
      ],
    ...ended === 0 ? [] : [line(muted(`${ended} ${ended === 1 ? "has" : "have"} ended already`))]
  ]
}
