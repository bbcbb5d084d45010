/** The code-migration showcase: five agents, one question, one supervisor. */
import { Orchestrator } from "coppice"
import { IntegrateLive } from "./agents/IntegrateLive.ts"
import { MigrateFileLive } from "./agents/MigrateFileLive.ts"
import { MigrateLive } from "./agents/MigrateLive.ts"
import { ScanLive } from "./agents/ScanLive.ts"
import { VerifyLive } from "./agents/VerifyLive.ts"

export default Orchestrator.make({
  agents: [ScanLive, MigrateFileLive, IntegrateLive, VerifyLive, MigrateLive],
  supervision: { strategy: "one_for_one", intensity: 5, period: "30 seconds" }
})
