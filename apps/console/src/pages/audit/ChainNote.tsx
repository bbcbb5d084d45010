/**
 * What a reading of the whole record found.
 */
import type { AuditCheck } from "@coppice/api/AuditApi"
import { CopyButton } from "../../ui/CopyButton.tsx"
import { moment } from "../../ui/Durations.ts"
import { Note } from "../../ui/Note.tsx"

export const ChainNote = ({ check: { broken, entries, newest, oldest } }: { readonly check: AuditCheck }) => {
  if (broken !== null) {
    return (
      <Note tone="bad">
        Entry {broken.n} of {moment(broken.at)} does not follow from the one before it.
        <span className="note-fix">
          It was changed, or something was put in or taken out. Compare with a copy of the record from before that time.
        </span>
      </Note>
    )
  }
  if (newest === null || oldest === null) {
    return <Note tone="good">There are no entries yet, so nothing can be wrong.</Note>
  }
  return (
    <Note tone="good">
      {entries === 1 ? "1 entry" : `${entries.toLocaleString()} entries`}, {moment(oldest.at)} to{" "}
      {moment(newest.at)}: each follows from the one before it.
      <span className="note-fix">
        Keep the newest hash elsewhere, to notice a chain that was written anew: <code>{newest.hash}</code>{" "}
        <CopyButton text={newest.hash} label="Copy the newest hash" />
      </span>
    </Note>
  )
}
