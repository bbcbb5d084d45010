/** An approval chain: two of the leads, the director when they do not decide, nobody's silence is a yes. */
import { Orchestrator } from "coppice"
import { PayLive } from "./agents/PayLive.ts"

// #region people
export default Orchestrator.make({
  agents: [PayLive],
  people: {
    ann: { roles: ["lead"], token: "ANN_TOKEN" },
    bob: { roles: ["lead"], token: "BOB_TOKEN" },
    cy: { roles: ["director"], may: ["view", "operate", "approve"], token: "CY_TOKEN" },
    dan: { token: "DAN_TOKEN" }
  }
})
// #endregion people
