/**
 * Tasks of MCP 2025-11-25: the cases, over HTTP and stdio. `Points2025.ts` says what there is to show.
 */
import type { Case } from "./Case.ts"
import { asking } from "./tasks2025/Asking.ts"
import { creation } from "./tasks2025/Creation.ts"
import { results } from "./tasks2025/Results.ts"
import { safety } from "./tasks2025/Safety.ts"

export const cases: ReadonlyArray<Case> = [...creation, ...asking, ...results, ...safety]
