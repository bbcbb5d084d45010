/**
 * The one task whose id begins with what was typed, wherever it is in the tree and however old it is.
 */
import type { Task } from "@coppice/api/Api"
import { useQuery } from "@tanstack/react-query"
import { Link } from "wouter"
import { get, taskPath } from "../../api/Http.ts"
import { keys } from "../../api/Keys.ts"
import { Status } from "../../ui/Status.tsx"
import { linkTo } from "./RunRow.tsx"

const isPrefix = (text: string): boolean => /^[0-9a-z]{8,20}$/.test(text)

export const ById = ({ text }: { readonly text: string }) => {
  const { data: task } = useQuery({
    queryKey: keys.task(text),
    queryFn: ({ signal }) => get<Task>(taskPath(text), {}, signal),
    enabled: isPrefix(text),
    retry: false
  })
  if (task === undefined) return null
  return (
    <Link href={linkTo(task)} className="by-id">
      <span className="muted">Task with this id</span>
      <Status task={task} />
      <strong>{task.agent}</strong>
      <span className="id">{task.id}</span>
    </Link>
  )
}
