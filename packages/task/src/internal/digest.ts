import { hash } from "node:crypto"

/** SHA-256 of text or bytes, base64url, 43 characters. */
export const digest = (content: string | Uint8Array): string => hash("sha256", content, "base64url")
