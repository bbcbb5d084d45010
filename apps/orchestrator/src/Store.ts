/**
 * The store of this service, with failures a person can act on before anything is served.
 */
import type { StoreError, TaskStore } from "@coppice/task/TaskStore"
import * as Store from "coppice/Store"
import * as Layer from "effect/Layer"
import { refused, type StartError } from "./StartError.ts"

/** What went wrong with the store, as the reason a start is refused. Its message names the file and what to do. */
export const toStartError = (error: StoreError): StartError => {
  if (error.reason === "DiskFull") {
    return refused("The store cannot be written: the disk is full", "free some space and start again")
  }
  const at = error.message.lastIndexOf("; ")
  return at < 0
    ? refused(`The store cannot be used: ${error.message}`, "choose another one with --store")
    : refused(`The store cannot be used: ${error.message.slice(0, at)}`, error.message.slice(at + 2))
}

/** The store at `url`; see `coppice/Store` for what a URL may be. */
export const layer = (url: string): Layer.Layer<TaskStore, StartError> =>
  Store.layer(url).pipe(Layer.catch((error) => Layer.effectDiscard(toStartError(error)))) as never
