import type { Task } from "@coppice/api/Api"

/** How far a task says it is. Without a total there is no bar to draw. */
export const ProgressBar = ({ progress }: { readonly progress: NonNullable<Task["progress"]> }) => {
  const { progress: done, total } = progress
  if (total === null || total <= 0) return <span className="faint num">{done}</span>
  const share = Math.max(0, Math.min(1, done / total))
  return (
    <span className="progress">
      <span className="progress-track" role="progressbar" aria-label="Progress" aria-valuenow={Math.round(share * 100)}>
        <span className="progress-fill" style={{ width: `${share * 100}%` }} />
      </span>
      <span className="faint num">{`${done}/${total}`}</span>
    </span>
  )
}
