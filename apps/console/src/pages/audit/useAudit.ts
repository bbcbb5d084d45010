/**
 * The record of decisions, page by page, and whether its chain holds.
 */
import type { AuditCheck, AuditPage } from "@coppice/api/AuditApi"
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { get } from "../../api/Http.ts"
import { keys } from "../../api/Keys.ts"
import type { Batch } from "../../live/LiveStore.ts"
import { useFresh } from "../../live/useFresh.ts"
import { type AuditFilter, toQuery } from "./AuditFilter.ts"

const pageSize = 100

/** Facts of people's decisions. What was refused or deleted stands in no log. */
const decisions: ReadonlySet<string> = new Set(["Created", "InputReceived", "Steered", "Cancelled"])

const isDecision = ({ facts }: Batch): boolean => facts.some(({ event }) => decisions.has(event._tag))

export const useAudit = (filter: AuditFilter) => {
  const client = useQueryClient()
  const [hasNewer, setNewer] = useState(false)
  const query = toQuery(filter)
  const queryKey = keys.audit(query)
  const answer = useInfiniteQuery({
    queryKey,
    initialPageParam: undefined as number | undefined,
    queryFn: ({ pageParam, signal }) =>
      get<AuditPage>("/audit", { ...query, limit: pageSize, before: pageParam }, signal),
    getNextPageParam: ({ next }) => next ?? undefined,
    // a filter being typed keeps what was found before on screen
    placeholderData: (before) => before
  })
  const pages = answer.data?.pages.length ?? 0
  useFresh(queryKey, (batch) => {
    if (!isDecision(batch)) return false
    // who has gone back far is not made to read all of it again
    if (pages > 1) setNewer(true)
    return pages <= 1
  })
  const toNewest = () => {
    setNewer(false)
    void client.resetQueries({ queryKey })
  }
  return { ...answer, hasNewer, toNewest }
}

/** Reads the whole chain, when somebody asks for it. */
export const useCheck = () => useMutation({ mutationFn: () => get<AuditCheck>("/audit/check") })
