/**
 * Where somebody without a session comes in.
 */
import { type FormEvent, useState } from "react"
import { Brand } from "../shell/Brand.tsx"
import { Button } from "../ui/Button.tsx"
import { ErrorNote } from "../ui/Note.tsx"
import { tokenFrom } from "./Token.ts"
import { useSignIn } from "./useSession.ts"

const Help = () => (
  <details>
    <summary className="muted">Where do I find it?</summary>
    <div className="stack gate-help">
      <p className="muted">
        The service prints a link to this console when it starts; opening it signs you in. The token is also in its data
        folder, where only you can read it:
      </p>
      <pre tabIndex={0}>cat .coppice/token</pre>
    </div>
  </details>
)

export const SignIn = () => {
  const [pasted, setPasted] = useState("")
  const signIn = useSignIn()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate(tokenFrom(pasted))
  }
  return (
    <main className="gate">
      <div className="card gate-card">
        <div className="brand">
          <Brand />
        </div>
        <h1>Sign in to this service</h1>
        <p className="muted">Paste the console link, or the token of the service.</p>
        <form onSubmit={submit}>
          <label className="hidden-visually" htmlFor="token">Token or link</label>
          <input
            id="token"
            className="field-input mono"
            type="password"
            autoComplete="off"
            autoFocus
            required
            placeholder="Token or link"
            value={pasted}
            onChange={(event) => setPasted(event.target.value)}
          />
          {signIn.isError ? <ErrorNote error={signIn.error} /> : null}
          <Button type="submit" look="primary" disabled={signIn.isPending}>Sign in</Button>
        </form>
        <Help />
      </div>
    </main>
  )
}
