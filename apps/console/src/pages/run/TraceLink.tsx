import type { Task } from "@coppice/api/Api"
import { useInfo } from "../../api/useService.ts"
import { CopyButton } from "../../ui/CopyButton.tsx"
import { webUrl } from "../../ui/WebUrl.ts"

/** The trace of the run, at the place that shows traces when the service knows one. */
export const TraceLink = ({ task: { spec: { trace } } }: { readonly task: Task }) => {
  const place = webUrl(useInfo().data?.links.traces ?? "")
  const id = <span className="id">{trace.traceId}</span>
  return (
    <span className="row">
      {place === undefined
        ? id
        : (
          <a
            href={`${place.href.replace(/\/$/, "")}/trace/${trace.traceId}?uiFind=${trace.spanId}`}
            target="_blank"
            rel="noopener noreferrer"
          >
            {id}
          </a>
        )}
      <CopyButton text={trace.traceId} label="Copy the trace id" />
    </span>
  )
}
