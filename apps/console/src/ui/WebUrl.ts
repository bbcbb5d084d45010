/**
 * Addresses that may become links: `http` and `https`, nothing that runs.
 */
export const webUrl = (text: string): URL | undefined => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") ? url : undefined
}
