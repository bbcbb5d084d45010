/**
 * Finds the running service: `--url`, else `COPPICE_URL`, else the file a service writes when it starts.
 *
 * The file's token goes only to the address in that file, whatever other address was asked for: a token sent elsewhere
 * would be a token given away.
 */
import { ServiceFile } from "@coppice/api/ServiceApi"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { exitCodes, Failure } from "./Failure.ts"

export interface Search {
  readonly url: string | undefined
  readonly data: string | undefined
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Where the service is, and how that is known. */
export interface Found {
  readonly url: string
  readonly token: Redacted.Redacted | undefined
  /** `--url`, `COPPICE_URL`, or the path of the file. */
  readonly source: string
  readonly file: FoundFile | undefined
}

export interface FoundFile {
  readonly path: string
  readonly content: ServiceFile
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(ServiceFile))

const read = (path: string): FoundFile | undefined => {
  try {
    return Option.getOrUndefined(Option.map(decode(readFileSync(path, "utf8")), (content) => ({ path, content })))
  } catch {
    return undefined
  }
}

/** The nearest `.coppice/service.json` from `folder` upwards. */
const above = (folder: string): FoundFile | undefined => {
  const found = read(join(folder, ".coppice", "service.json"))
  const parent = dirname(folder)
  return found ?? (parent === folder ? undefined : above(parent))
}

const origin = (url: string): string | undefined => {
  if (!URL.canParse(url)) return undefined
  const { hostname, port, protocol } = new URL(url)
  if (protocol !== "http:" && protocol !== "https:") return undefined
  return `${protocol}//${hostname === "localhost" ? "127.0.0.1" : hostname}:${port}`
}

const nonEmpty = (text: string | undefined): string | undefined => text === "" ? undefined : text

/** The file of the chosen data folder, else the nearest one. */
export const findFile = ({ cwd, data, env }: Search): FoundFile | undefined => {
  const folder = data ?? nonEmpty(env["COPPICE_DATA"])
  return folder === undefined ? above(resolve(cwd)) : read(join(resolve(cwd, folder), "service.json"))
}

const nowhere = ({ data }: Search): Failure =>
  new Failure({
    exit: exitCodes.unreachable,
    message: data === undefined
      ? "No service found: no --url, no COPPICE_URL, and no .coppice/service.json here or in a folder above"
      : `No service found: ${join(data, "service.json")} is missing or unreadable`,
    fix: "start one with `coppice serve`, or say where it is with --url"
  })

/** The service, or why there is none. */
export const findService = (search: Search): Result.Result<Found, Failure> => {
  const file = findFile(search)
  const fromEnv = nonEmpty(search.env["COPPICE_URL"])
  const url = search.url ?? fromEnv ?? file?.content.url
  if (url === undefined) return Result.fail(nowhere(search))
  const source = search.url !== undefined ? "--url" : fromEnv !== undefined ? "COPPICE_URL" : file!.path
  const at = origin(url)
  if (at === undefined) {
    return Result.fail(
      new Failure({
        exit: exitCodes.badInput,
        message: `${source} is not an http address: ${url}`,
        fix: "such as http://127.0.0.1:4280"
      })
    )
  }
  const ownToken = file !== undefined && origin(file.content.url) === at ? file.content.token : undefined
  const token = nonEmpty(search.env["COPPICE_TOKEN"]) ?? ownToken
  return Result.succeed({
    url: url.replace(/\/+$/, ""),
    token: token === undefined ? undefined : Redacted.make(token),
    source,
    file
  })
}
