/**
 * An address a person is asked to open, and what should make them suspicious of it.
 *
 * The address is shown as a browser will open it, with the host apart: that is the part that says whose page it is.
 */
import { webUrl } from "../ui/WebUrl.ts"

export interface WebAddress {
  readonly before: string
  readonly host: string
  readonly after: string
  readonly warnings: ReadonlyArray<string>
}

const warningsOf = ({ hostname, password, protocol, username }: URL): ReadonlyArray<string> => {
  const isNear = hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d+){3}$/.test(hostname)
  const isNumber = /^[\d.]+$/.test(hostname) || hostname.startsWith("[")
  return [
    ...protocol === "http:" && !isNear ? ["It is not encrypted (http): others on the way can read and change it."] : [],
    ...hostname.split(".").some((label) => label.startsWith("xn--"))
      ? ["Its name has letters from other alphabets, which can look like those of a name you know."]
      : [],
    ...username !== "" || password !== ""
      ? ["It has a user name before the “@”, which can look like the name of another site."]
      : [],
    ...isNumber && !isNear ? ["It names a machine by its number, so nobody vouches for whose it is."] : []
  ]
}

/** `undefined` for what is no address of a web page, such as `javascript:` or `file:`. */
export const inspect = (text: string): WebAddress | undefined => {
  const url = webUrl(text)
  if (url === undefined) return undefined
  const credentials = url.username === "" && url.password === ""
    ? ""
    : `${url.username}${url.password === "" ? "" : `:${url.password}`}@`
  return {
    before: `${url.protocol}//${credentials}`,
    host: url.host,
    after: url.href.slice(`${url.protocol}//${credentials}${url.host}`.length),
    warnings: warningsOf(url)
  }
}

/** The whole address, as it will be opened. */
export const whole = ({ after, before, host }: WebAddress): string => before + host + after
