/**
 * The one action an approval is for, exactly as it will be done.
 */
import type { InputRequest } from "@coppice/api/Api"
import { CopyButton } from "../ui/CopyButton.tsx"
import { Json } from "../ui/Json.tsx"
import { Countdown } from "../ui/Time.tsx"

export const ApprovalPanel = (
  { approval: { arguments: given, digest, expires, policy, tool } }: Required<Pick<InputRequest, "approval">>
) => (
  <section className="approval stack" aria-label="The exact action">
    <dl className="facts">
      <dt>Tool</dt>
      <dd className="mono">
        <strong>{tool}</strong>
      </dd>
      <dt>Rules</dt>
      <dd className="mono">{policy}</dd>
      <dt>Holds</dt>
      <dd>
        {expires === null ? "until it is used" : (
          <>
            until it is used, at most <Countdown to={expires} />
          </>
        )}
      </dd>
      <dt>Digest</dt>
      <dd>
        <code>{digest}</code> <CopyButton text={digest} label="Copy the digest" />
      </dd>
    </dl>
    <Json value={given} label="arguments" />
  </section>
)
