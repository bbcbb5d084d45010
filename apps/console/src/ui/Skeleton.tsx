/** Rows that will be there in a moment. */
export const Skeleton = ({ rows = 6 }: { readonly rows?: number }) => (
  <div className="stack skeletons" role="status" aria-label="Loading">
    {Array.from({ length: rows }, (_, row) => <span key={row} className={`skeleton skeleton-${row % 4}`} />)}
  </div>
)
