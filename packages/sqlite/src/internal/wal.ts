/**
 * Looks for damage in a write-ahead log before SQLite opens it.
 *
 * SQLite reads a log up to the first frame whose checksum is wrong and takes the rest for a commit that was never
 * finished. That is right for the last commit and wrong for every other one: those were synced and somebody was told.
 * Two things tell the difference. The index of the log (`-shm`) outlives a killed process and knows how many frames were
 * committed; and a commit that was followed by another one must have been complete. Without an index, after a power cut,
 * two things stay untold: a log cut short at its end, and a broken frame header at the end of the last commit but one.
 *
 * File format: https://www.sqlite.org/walformat.html. A log is `header (32 bytes), frame, frame, …`, a frame is
 * `header (24 bytes), page`; every checksum goes on from the one before it.
 *
 * @internal
 */
import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from "node:fs"
import type { Options } from "../Database.ts"

/**
 * Says what is broken in the log of a database file that nobody has open, or nothing if all is well.
 *
 * @internal
 */
export const findDamage = (options: Pick<Options, "path" | "readOnly" | "synchronous">): string | undefined => {
  // a log that another process is writing, or that was written without a sync per commit, may look torn and be sound
  if (options.readOnly === true || options.synchronous === "OFF" || options.synchronous === "NORMAL") return undefined
  const path = realpathSync(options.path)
  // one transaction of that size is beyond every limit of this product: SQLite's own rule is left to judge it
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG) return undefined
  // the index first: should the log move on meanwhile, it only gets longer
  const index = readIndex(`${path}-shm`)
  const view = readIfPresent(`${path}-wal`)
  if (view === undefined || view.byteLength < HEADER) {
    return hasLost(index) ? "its write-ahead log is missing" : undefined
  }
  // SQLite would take it for a new file and delete the log
  if (statSync(path).size < FILE_HEADER) return "it is empty, but its write-ahead log is not"
  const log = readHeader(view)
  return log === undefined ? damageOfHeader(path, view, index) : damageOfFrames(log, index)
}

const FILE_HEADER = 100
const HEADER = 32
const FRAME = 24
const MAGIC = 0x377f0682
const MAX_LOG = 512 * 1024 * 1024

type Sum = readonly [number, number]

interface Log {
  readonly view: DataView
  readonly pageSize: number
  readonly littleEndian: boolean
  readonly salt: bigint
  readonly sum: Sum
}

const readHeader = (view: DataView): Log | undefined => {
  const littleEndian = (view.getUint32(0) & 1) === 0
  const pageSize = view.getUint32(8)
  const sum = storedSum(view, 24)
  const sound = (view.getUint32(0) & ~1) === MAGIC && isPageSize(pageSize) &&
    same(checksum(part(view, 0, 24), littleEndian), sum)
  return sound ? { view, littleEndian, pageSize, salt: view.getBigUint64(16), sum } : undefined
}

const damageOfFrames = (log: Log, index: Index | undefined): string | undefined => {
  const { committed, next } = soundPrefix(log)
  if (index !== undefined && index.salt === log.salt && committed < index.frames) {
    return `its write-ahead log ends at frame ${committed} of ${index.frames}`
  }
  return isFollowedByCommit(log, next)
    ? `frame ${next + 1} of its write-ahead log is broken, and later commits depend on it`
    : undefined
}

const soundPrefix = (log: Log) => {
  let sum = log.sum
  let committed = 0
  let next = 0
  for (; frameFits(log, next) && isCurrent(log, next); next++) {
    const computed = frameSum(log, next, sum)
    if (!same(computed, frameStoredSum(log, next))) break
    sum = computed
    if (isCommit(log, next)) committed = next + 1
  }
  return { committed, next }
}

/**
 * Whether a commit ends at or behind the broken frame and is followed by anything at all, which happens only after that
 * commit was synced. What a rolled back transaction left in the log has no commit in it.
 */
const isFollowedByCommit = (log: Log, broken: number): boolean => {
  let committed = false
  for (let n = broken; frameFits(log, n); n++) {
    if (!isCurrent(log, n)) continue
    if (committed) return true
    committed = isCommit(log, n)
  }
  return false
}

/**
 * A header is written and synced before any frame. If sound frames follow one that is broken, it broke later.
 */
const damageOfHeader = (path: string, view: DataView, index: Index | undefined): string | undefined => {
  const pageSize = index?.pageSize ?? pageSizeOf(path)
  const followed = pageSize !== undefined &&
    [true, false].some((littleEndian) => isFollowedByFrame(view, pageSize, littleEndian))
  return followed || hasLost(index) ? "the header of its write-ahead log is broken" : undefined
}

const isFollowedByFrame = (view: DataView, pageSize: number, littleEndian: boolean): boolean => {
  const log = { view, pageSize, littleEndian, salt: 0n, sum: storedSum(view, 24) }
  const chains = (n: number, seed: Sum) => same(frameSum(log, n, seed), frameStoredSum(log, n))
  for (let n = 1; frameFits(log, n); n++) if (chains(n, frameStoredSum(log, n - 1))) return true
  return frameFits(log, 0) && (chains(0, log.sum) || chains(0, checksum(part(view, 0, 24), littleEndian)))
}

const frameAt = (log: Log, n: number): number => HEADER + n * (FRAME + log.pageSize)

const frameFits = (log: Log, n: number): boolean => frameAt(log, n + 1) <= log.view.byteLength

// frames of an earlier round lie behind the current ones, with another salt
const isCurrent = (log: Log, n: number): boolean => log.view.getBigUint64(frameAt(log, n) + 8) === log.salt

const isCommit = (log: Log, n: number): boolean => log.view.getUint32(frameAt(log, n) + 4) !== 0

const frameStoredSum = (log: Log, n: number): Sum => storedSum(log.view, frameAt(log, n) + 16)

const frameSum = (log: Log, n: number, seed: Sum): Sum => {
  const at = frameAt(log, n)
  const head = checksum(part(log.view, at, 8), log.littleEndian, seed)
  return checksum(part(log.view, at + FRAME, log.pageSize), log.littleEndian, head)
}

const checksum = (bytes: DataView, littleEndian: boolean, seed: Sum = [0, 0]): Sum => {
  let [a, b] = seed
  for (let at = 0; at < bytes.byteLength; at += 8) {
    a = (a + bytes.getInt32(at, littleEndian) + b) | 0
    b = (b + bytes.getInt32(at + 4, littleEndian) + a) | 0
  }
  return [a, b]
}

const part = (view: DataView, at: number, length: number): DataView =>
  new DataView(view.buffer, view.byteOffset + at, length)

const storedSum = (view: DataView, at: number): Sum => [view.getInt32(at), view.getInt32(at + 4)]

const same = (a: Sum, b: Sum): boolean => a[0] === b[0] && a[1] === b[1]

const isPageSize = (size: number): boolean => size >= 512 && size <= 65536 && (size & (size - 1)) === 0

interface Index {
  readonly pageSize: number
  readonly frames: number
  readonly copied: number
  readonly salt: bigint
}

const INDEX_HEADER = 136
const INDEX_VERSION = 3007000

/**
 * Reads how many frames were committed and how many of them are in the file already, if the index is whole.
 */
const readIndex = (path: string): Index | undefined => {
  const view = readIfPresent(path, INDEX_HEADER)
  if (view === undefined || view.byteLength < INDEX_HEADER) return undefined
  const littleEndian = view.getUint32(0, true) === INDEX_VERSION
  const sum: Sum = [view.getInt32(40, littleEndian), view.getInt32(44, littleEndian)]
  const whole = view.getUint8(12) === 1 && same(checksum(part(view, 0, 40), littleEndian), sum)
  if (!whole) return undefined
  return {
    pageSize: unpackPageSize(view.getUint16(14, littleEndian)),
    frames: view.getUint32(16, littleEndian),
    copied: view.getUint32(96, littleEndian),
    salt: view.getBigUint64(32)
  }
}

const hasLost = (index: Index | undefined): boolean => index !== undefined && index.frames > index.copied

const pageSizeOf = (path: string): number | undefined => {
  const view = readIfPresent(path, 18)
  const size = view === undefined || view.byteLength < 18 ? 0 : unpackPageSize(view.getUint16(16))
  return isPageSize(size) ? size : undefined
}

// 65536 does not fit its two bytes
const unpackPageSize = (stored: number): number => stored === 1 ? 65536 : stored

const readIfPresent = (path: string, length?: number): DataView | undefined => {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
  const bytes = length === undefined ? readFileSync(path) : readStart(path, length)
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const readStart = (path: string, length: number): Buffer => {
  const file = openSync(path, "r")
  try {
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readSync(file, bytes, 0, length, 0))
  } finally {
    closeSync(file)
  }
}
