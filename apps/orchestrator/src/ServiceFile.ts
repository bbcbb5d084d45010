/**
 * How the CLI finds a running service: `<data>/service.json`, with its address and token, for this user only.
 *
 * It is written when the service is ready and removed at a clean stop. One that a killed service left behind names a
 * process that is gone, or that does not answer as that service; it is replaced.
 */
import { ServiceFile as Contents } from "@coppice/api/ServiceApi"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { refused, type StartError } from "./StartError.ts"

const pathIn = (data: string): string => join(data, "service.json")

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Contents))

/** What stands in the file; nothing when there is none, or it is damaged. */
export const read = (data: string): Option.Option<Contents> => {
  try {
    return decode(readFileSync(pathIn(data), "utf8"))
  } catch {
    return Option.none()
  }
}

const code = (cause: unknown): string => (cause as NodeJS.ErrnoException | undefined)?.code ?? ""

const cannotWrite = (data: string, cause: unknown): StartError => {
  switch (code(cause)) {
    case "EEXIST":
    case "ENOTDIR":
      return refused(`${data} is a file, not a folder`, "name another folder with --data")
    case "ENOSPC":
    case "EDQUOT":
      return refused(`No space is left for ${data}`, "free some, or name another folder with --data")
    default:
      return refused(
        `${data} cannot be written (${code(cause) || String(cause)})`,
        "give this user write permission, or name another folder with --data"
      )
  }
}

/** Makes the data folder, for this user only, and keeps its secrets out of version control. */
export const prepare = (data: string): Effect.Effect<void, StartError> =>
  Effect.try({
    try: () => {
      mkdirSync(data, { recursive: true, mode: 0o700 })
      if (!statSync(data).isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" })
      writeFileSync(join(data, ".gitignore"), "*\n", { mode: 0o600 })
    },
    catch: (cause) => cannotWrite(data, cause)
  })

/** The folder's own secret, for this user only; made the first time. */
export const secret = (data: string, make: () => string): Effect.Effect<string, StartError> =>
  Effect.try({
    try: () => {
      const path = join(data, "token")
      const known = existsSync(path) ? readFileSync(path, "utf8").trim() : ""
      if (known.length >= 32) return known
      const token = make()
      writeFileSync(path, `${token}\n`, { mode: 0o600 })
      return token
    },
    catch: (cause) => cannotWrite(data, cause)
  })

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return code(cause) === "EPERM"
  }
}

const answers = (url: string, pid: number): Effect.Effect<boolean> =>
  HttpClient.get(`${url}/api/v1/info`).pipe(
    Effect.flatMap((response) => response.json),
    Effect.map((info) => Predicate.hasProperty(info, "pid") && info.pid === pid),
    Effect.timeout("500 millis"),
    Effect.orElseSucceed(() => false),
    Effect.provide(FetchHttpClient.layer)
  )

/** Fails when another service of this data folder is alive. */
export const refuseSecond = Effect.fnUntraced(function*(data: string): Effect.fn.Return<void, StartError> {
  const found = Option.getOrUndefined(read(data))
  if (found === undefined || found.pid === process.pid || !isAlive(found.pid)) return
  if (!(yield* answers(found.url, found.pid))) return
  return yield* refused(
    `A service already runs at ${found.url} (process ${found.pid})`,
    "stop it, or start this one with another --data"
  )
})

const write = (data: string, contents: Contents): void => {
  const draft = `${pathIn(data)}.${process.pid}`
  rmSync(draft, { force: true })
  writeFileSync(draft, JSON.stringify(contents, undefined, 2) + "\n", { mode: 0o600, flag: "wx" })
  renameSync(draft, pathIn(data))
}

const remove = (data: string, contents: Contents): void => {
  const found = Option.getOrUndefined(read(data))
  if (found?.pid === contents.pid) rmSync(pathIn(data), { force: true })
}

/** Writes the file, and removes it with the scope unless another service has written its own since. */
export const publish = (data: string, contents: Contents): Effect.Effect<void, StartError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({ try: () => write(data, contents), catch: (cause) => cannotWrite(data, cause) }),
    () => Effect.ignore(Effect.try(() => remove(data, contents)))
  )
