/**
 * The token of an answer link: all of what stands behind `#`. It is taken out of the address, so that neither history nor a
 * screenshot keeps it, and lives in this page alone; whoever loads the page again opens the link again.
 */

let taken: string | undefined

/** The link's token; `undefined` when the address carries none. */
export const takeLinkToken = (): string | undefined => {
  const token = decodeURIComponent(location.hash.slice(1))
  if (token === "") return taken
  history.replaceState(history.state, "", location.pathname)
  taken = token
  return token
}
