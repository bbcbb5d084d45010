import { hash } from "node:crypto"

/** SHA-256 of the text, base64url, 43 characters. */
const digest = (text: string): string => hash("sha256", text, "base64url")

/**
 * What stands for an input in a key: the canonical text itself while it is short, else its digest. Either way equal
 * inputs have equal keys.
 */
export const fingerprint = (canonicalText: string): string =>
  canonicalText.length <= 43 ? canonicalText : digest(canonicalText)
