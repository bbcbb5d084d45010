/**
 * The tasks extension of MCP 2026-07-28: the cases, over HTTP and stdio. `Points2026.ts` says what there is to show.
 */
import type { Case } from "./Case.ts"
import { course } from "./tasks2026/Course.ts"
import { creation } from "./tasks2026/Creation.ts"
import { safety } from "./tasks2026/Safety.ts"

export const cases: ReadonlyArray<Case> = [...creation, ...course, ...safety]
