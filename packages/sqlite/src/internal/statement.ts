/**
 * A prepared statement whose errors are `DatabaseError`.
 *
 * @internal
 */
import type { SQLInputValue, StatementSync } from "node:sqlite"
import type { Statement, Value } from "../Database.ts"
import type { Handle } from "./handle.ts"

/** @internal */
export const makeStatement = <R>(handle: Handle, sql: string, bigints: boolean): Statement<R> => {
  const prepare = (): StatementSync => {
    const statement = handle.connection.prepare(sql)
    if (bigints) statement.setReadBigInts(true)
    return statement
  }
  const statement = prepare()
  const returnsRows = statement.columns().length > 0
  const writes = isWrite(sql)
  // run() also reads the last rowid, and throws after the write when that exceeds 2^53 (Node 26)
  if (!returnsRows) statement.setReadBigInts(true)
  let ownRunner: StatementSync | undefined
  const runner = (): StatementSync => {
    if (!returnsRows || bigints) return statement
    if (ownRunner === undefined) {
      ownRunner = prepare()
      ownRunner.setReadBigInts(true)
    }
    return ownRunner
  }
  // no closure: a commit of the task log is thousands of these calls
  const attempt = (operation: "run" | "all" | "get", target: StatementSync, params: ReadonlyArray<Value>): any => {
    if (writes) handle.assertWritable()
    let result
    try {
      result = target[operation](...values(params))
    } catch (cause) {
      throw handle.error(cause, operation)
    }
    if (writes) handle.checkLog()
    return result
  }
  return {
    run: (...params) => {
      const { changes, lastInsertRowid } = attempt("run", runner(), params)
      return { changes: Number(changes), lastInsertRowid: BigInt(lastInsertRowid) }
    },
    all: (...params) => attempt("all", statement, params),
    get: (...params) => attempt("get", statement, params),
    *iterate(...params) {
      if (writes) handle.assertWritable()
      try {
        // a statement of its own: running the shared one again would cut the cursor off
        yield* prepare().iterate(...values(params)) as unknown as IterableIterator<R>
      } catch (cause) {
        throw handle.error(cause, "iterate")
      }
    }
  }
}

const values = (params: ReadonlyArray<Value>) => params as Array<SQLInputValue>

const isWrite = (sql: string): boolean =>
  /^\s*(insert|update|delete|replace)\b/i.test(sql) || /^\s*with\b[^]*\b(insert|update|delete|replace)\b/i.test(sql)
