/**
 * A modal dialog on the browser's own element: focus stays inside, Esc closes it, and focus goes back where it was.
 */
import { type ReactNode, useEffect, useId, useRef } from "react"
import { Button } from "./Button.tsx"
import { Icon } from "./Icon.tsx"

export const Dialog = ({ children, foot, onClose, title, wide = false }: {
  readonly title: ReactNode
  readonly children: ReactNode
  readonly foot?: ReactNode
  readonly onClose: () => void
  readonly wide?: boolean
}) => {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = ref.current
    if (dialog?.open === false) dialog.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={ref}
      className={`dialog ${wide ? "dialog-wide" : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <div className="dialog-frame">
        <div className="dialog-head">
          <h2 id={id} className="grow">{title}</h2>
          <Button look="quiet" small aria-label="Close" onClick={onClose}>
            <Icon name="cross" />
          </Button>
        </div>
        <div className="dialog-body">{children}</div>
        {foot === undefined ? null : <div className="dialog-foot">{foot}</div>}
      </div>
    </dialog>
  )
}
