/**
 * `coppice dev` beside the service: the last reload, and faults on demand. Every other service has none of it.
 */
import type { DevStatus, Fault, FaultRequest } from "@coppice/api/DevApi"
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"
import { get, send } from "./Http.ts"
import { keys } from "./Keys.ts"
import * as ServerClock from "./ServerClock.ts"
import { useInfo } from "./useService.ts"

/** Reloads and faults stand in no log. */
const lookEvery = 2_000

/** Undefined where there is nothing to develop. */
export const useDev = () => {
  const isDev = useInfo().data?.dev === true
  const answer = useQuery({
    queryKey: keys.dev,
    queryFn: ({ signal }) => get<DevStatus>("/dev", {}, signal),
    enabled: isDev,
    refetchInterval: lookEvery
  })
  const ahead = answer.data?.clock.ahead ?? 0
  useEffect(() => ServerClock.setAhead(ahead), [ahead])
  return { isDev, status: answer.data, error: answer.error }
}

const useChange = <A, B>(mutationFn: (given: A) => Promise<B>) => {
  const client = useQueryClient()
  return useMutation({ mutationFn, onSettled: () => client.invalidateQueries({ queryKey: keys.dev }) })
}

export const useFault = () => useChange((request: FaultRequest) => send<Fault>("POST", "/dev/faults", request))

export const useClear = () =>
  useChange((id: string) => send<unknown>("DELETE", `/dev/faults${id === "" ? "" : `/${encodeURIComponent(id)}`}`))
