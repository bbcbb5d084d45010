/**
 * The one action an approval is for: how it is told apart from every other, and how a person sees it.
 */
import { canonical } from "@coppice/task/Payload"
import type { ExactAction } from "@coppice/task/Policy"
import * as DateTime from "effect/DateTime"
import { hash } from "node:crypto"

export type Bound = Omit<ExactAction, "digest">

/** SHA-256 of the canonical action and its expiry, base64url. */
export const actionDigest = (bound: Bound): string =>
  hash("sha256", canonical({ ...bound, arguments: bound.arguments }), "base64url")

/** Characters that cannot be seen, or make others look like what they are not, as escapes. */
const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, (character) =>
    character === "\n"
      ? character
      : [...Array(character.length).keys()].map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`)
        .join(""))

/** The action as a person reads it: all of it, and nothing in it can pass for another line. */
export const actionText = ({ arguments: given, expires, policy, tool }: Bound): string =>
  visible([
    `tool: ${JSON.stringify(tool)}`,
    `arguments: ${JSON.stringify(given, null, 2)}`,
    `policy: ${JSON.stringify(policy)}`,
    ...expires === null ? [] : [`holds until: ${DateTime.formatIso(DateTime.makeUnsafe(expires))}`]
  ].join("\n"))
