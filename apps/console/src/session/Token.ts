/**
 * The token in the link the service printed: `http://127.0.0.1:4280/#token=…`.
 */

/** The token a fragment carries. */
export const tokenIn = (hash: string): string | undefined => {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token")
  return token === null || token === "" ? undefined : token
}

/** What a person pastes: the token, or the whole link. */
export const tokenFrom = (pasted: string): string => {
  const text = pasted.trim()
  const at = text.indexOf("#")
  return (at < 0 ? undefined : tokenIn(text.slice(at))) ?? text
}

/** Takes the token out of the address, so that neither history nor a screenshot keeps it. */
export const takeToken = (): string | undefined => {
  const token = tokenIn(location.hash)
  if (token !== undefined) history.replaceState(history.state, "", location.pathname + location.search)
  return token
}
