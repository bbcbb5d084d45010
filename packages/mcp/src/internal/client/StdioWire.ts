/**
 * A child process as a wire: everything shares one pipe, so a request is given up by a notification.
 */
import type { JSONRPCMessage } from "@modelcontextprotocol/client"
import { ChildError, type StdioServer } from "../../StdioServer.ts"
import type { SendOptions, Wire } from "./Connection.ts"
import { messageOf } from "./errors.ts"
import { isRequest, type RpcMessage } from "./rpc.ts"

export class StdioWire implements Wire {
  readonly closingCancels = false
  private readonly child: StdioServer

  constructor(child: StdioServer) {
    this.child = child
  }

  send(message: RpcMessage, { failed, taken }: SendOptions): () => void {
    this.child.send(message as JSONRPCMessage).then(
      () => {
        if (!isRequest(message)) taken()
      },
      (error: unknown) => {
        // what was refused here never reached the child
        const detail = messageOf(error)
        failed(error instanceof ChildError ? { _tag: "Unreachable", detail } : { _tag: "OutcomeUnknown", detail })
      }
    )
    return () => {}
  }
}
