/** Replaces `__dirname`, `__filename` and "am I main?" by what ES modules offer, and drops "use strict". */
import { count, type Draft, removeStatement, replace } from "./Draft.ts"
import { isUseStrict } from "./Sloppy.ts"

export const rewriteWrapper = (draft: Draft): void => {
  const { source, wrapper } = draft.analysis
  for (const statement of source.program.body.filter(isUseStrict)) {
    count(draft, "use strict removed")
    removeStatement(draft, statement)
  }
  for (const node of wrapper.dirname) rename(draft, "__dirname", () => replace(draft, node, "import.meta.dirname"))
  for (const node of wrapper.filename) rename(draft, "__filename", () => replace(draft, node, "import.meta.filename"))
  for (const { negated, node } of wrapper.mainChecks) {
    rename(draft, "require.main check", () => replace(draft, node, negated ? "!import.meta.main" : "import.meta.main"))
  }
}

const rename = (draft: Draft, name: string, edit: () => void): void => {
  count(draft, name)
  edit()
}
