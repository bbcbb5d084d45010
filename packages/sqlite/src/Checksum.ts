/**
 * Checksums of rows.
 *
 * SQLite checks the frames of its log but not the pages of its file: a byte that changes inside a stored value is read
 * back as if it had been written so. A row that must never be silently wrong stores the checksum of its other columns
 * and is compared with it when it is read.
 */
import { crc32 } from "node:zlib"
import type { Value } from "./Database.ts"

/**
 * Computes a 32-bit checksum over values, which tells apart types, order and where one value ends.
 *
 * **Details**
 *
 * An integer has the same checksum as a number and as a bigint, because SQLite may return either.
 */
export const of = (...values: ReadonlyArray<Value>): number => {
  let sum = 0
  for (const value of values) sum = add(sum, value)
  return sum
}

const add = (sum: number, value: Value): number => {
  if (value === null) return crc32("n;", sum)
  if (typeof value === "string") return crc32(value, crc32(`s${value.length};`, sum))
  if (typeof value === "object") return crc32(value, crc32(`b${value.byteLength};`, sum))
  return crc32(`i${value};`, sum)
}
