/**
 * Sends a person's answer to a question.
 */
import type { Task } from "@coppice/api/Api"
import type { Answer } from "@coppice/api/InboxApi"
import { useMutation, useQueryClient } from "@tanstack/react-query"
import { send, taskPath } from "../api/Http.ts"
import { keys } from "../api/Keys.ts"

export const useAnswer = (task: string) => {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (answer: Answer) => send<Task>("POST", taskPath(task, "/answer"), answer),
    // refused or not: somebody else may have been faster. Not waited for: whoever answered is told first
    onSettled: () => void client.invalidateQueries({ queryKey: keys.inbox })
  })
}
