/**
 * Who I am to the service, and what I may.
 */
import type { Right, Session } from "@coppice/api/SessionApi"
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"
import { Failure, get, onSignedOut, send } from "../api/Http.ts"
import { keys } from "../api/Keys.ts"
import { takeToken } from "./Token.ts"

const open = (token: string): Promise<Session> => send<Session>("POST", "/session", { token })

/** The session there is, or the one the link's token opens. `null` when there is none. */
const current = async (): Promise<Session | null> => {
  try {
    const token = takeToken()
    return token === undefined ? await get<Session>("/session") : await open(token)
  } catch (error) {
    if (error instanceof Failure && error.status === 401) return null
    throw error
  }
}

export const useSession = () => {
  const client = useQueryClient()
  useEffect(() => onSignedOut(() => client.setQueryData(keys.session, null)), [client])
  useEffect(() => {
    // the link opened in a tab that shows the console already loads nothing anew
    const again = () => void client.invalidateQueries({ queryKey: keys.session })
    addEventListener("hashchange", again)
    return () => removeEventListener("hashchange", again)
  }, [client])
  return useQuery({ queryKey: keys.session, queryFn: current, staleTime: Infinity, retry: false })
}

/** Whether this person may do that; the service decides anyway. */
export const useMay = (right: Right): boolean =>
  useQueryClient().getQueryData<Session | null>(keys.session)?.may.includes(right) === true

/** The name under which this person's answers are kept. */
export const useWho = (): string => useQueryClient().getQueryData<Session | null>(keys.session)?.by ?? ""

export const useSignIn = () => {
  const client = useQueryClient()
  return useMutation({ mutationFn: open, onSuccess: (session) => client.setQueryData(keys.session, session) })
}

export const useSignOut = () => {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => send<void>("DELETE", "/session"),
    onSuccess: () => {
      // whoever looks at the session must hear of it, so it is the one thing that stays
      client.setQueryData(keys.session, null)
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.session[0] })
    }
  })
}
