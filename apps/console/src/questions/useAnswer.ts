/**
 * Sends a person's answer to a question: as whoever has the session, or as the person of an answer link.
 */
import type { Task } from "@coppice/api/Api"
import type { Answer } from "@coppice/api/InboxApi"
import type { LinkAnswered } from "@coppice/api/LinkApi"
import { useMutation, useQueryClient } from "@tanstack/react-query"
import { send, taskPath } from "../api/Http.ts"
import { keys } from "../api/Keys.ts"

/** `token` is that of an answer link, which names the question itself. */
export const useAnswer = (task: string, token?: string) => {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ key, ...said }: Answer): Promise<unknown> =>
      token === undefined
        ? send<Task>("POST", taskPath(task, "/answer"), { key, ...said })
        : send<LinkAnswered>("POST", "/link/answer", { token, ...said }),
    // refused or not: somebody else may have been faster. Not waited for: whoever answered is told first
    onSettled: () => void client.invalidateQueries({ queryKey: keys.inbox })
  })
}
