/**
 * The service itself: what it is, its agents, its inbox.
 */
import type { Agents } from "@coppice/api/AgentsApi"
import type { Inbox } from "@coppice/api/InboxApi"
import type { Info } from "@coppice/api/ServiceApi"
import { useQuery } from "@tanstack/react-query"
import { useMemo } from "react"
import { get } from "./Http.ts"
import { keys } from "./Keys.ts"

export const useInfo = () =>
  useQuery({ queryKey: keys.info, queryFn: ({ signal }) => get<Info>("/info", {}, signal), staleTime: Infinity })

export const useAgents = () =>
  useQuery({ queryKey: keys.agents, queryFn: ({ signal }) => get<Agents>("/agents", {}, signal) })

export const useInbox = () =>
  useQuery({ queryKey: keys.inbox, queryFn: ({ signal }) => get<Inbox>("/inbox", { limit: 1_000 }, signal) })

/** The runs in which somebody waits for a person, however deep below the root. */
export const useAsking = (): ReadonlySet<string> => {
  const { data } = useInbox()
  return useMemo(() => new Set(data?.questions.map(({ run }) => run)), [data])
}
