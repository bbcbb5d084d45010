/** One generated call, and where calls come from. */
import type { Random } from "./internal/Random.ts"

// The shape of a foreign package is not known to types.
export type Api = any

export interface Case {
  /** The call as a person would write it. */
  readonly label: string
  /** The exported function it is about; it may have members, as in `Range.test`. */
  readonly about: string
  readonly run: (api: Api) => unknown
}

export interface CaseSource {
  readonly caseAt: (random: Random, index: number) => Case
  /** Arguments with which the package's commands may be run safely. */
  readonly commands?: ReadonlyArray<ReadonlyArray<string>>
}

export const callOf = (about: string, args: ReadonlyArray<unknown>): Case => ({
  label: `${about}(${args.map((arg) => JSON.stringify(arg) ?? "undefined").join(", ")})`,
  about,
  run: (api) => {
    const holder = about.split(".").slice(0, -1).reduce((value: Api, key) => value[key], api)
    const name = about.split(".").at(-1) ?? ""
    return about === "" ? api(...structuredClone(args)) : holder[name](...structuredClone(args))
  }
})
