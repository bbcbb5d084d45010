/**
 * `npm run screenshots`: every page of the console, in the light and in the dark, into `docs/images/console/`.
 *
 * The service, its agents and the browser are those of the tests; what is shown is made anew, so ids and times differ.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { chromium, type Page } from "playwright-core"
import { Service } from "../test/support/Service.ts"

const folder = fileURLToPath(new URL("../../../docs/images/console", import.meta.url))
const executablePath = process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium"

/** What there is to see: runs of every status, and questions that wait. Returns the run that is looked at. */
const fill = async (service: Service): Promise<string> => {
  const texts = ["Translate the release notes", "Check the links of the handbook", "Summarise the incident of Tuesday"]
  for (const text of texts) await service.submit("parrot", { text })
  await service.submit("refuse", { text: "The ledger does not balance" })
  await service.submit("approve", { text: "Refund 40 € to customer 1234?" })
  const { id } = await service.submit("nap", { seconds: 900 })
  await service.ask("POST", `/tasks/${id}/cancel`, { reason: "no longer needed" })
  return (await service.submit("release", { parts: 6, naps: 3, text: "Publish version 2.4 to everybody?" })).id
}

/** Where each picture is taken, and what has to be on screen before. */
const pages = (run: string) => [
  { name: "runs", path: "/", ready: (page: Page) => page.getByRole("row").nth(6) },
  { name: "run", path: `/runs/${run}`, ready: (page: Page) => page.getByRole("treeitem", { name: /approve/ }) },
  { name: "inbox", path: "/inbox", ready: (page: Page) => page.getByText("Publish version 2.4 to everybody?").first() },
  { name: "agents", path: "/agents", ready: (page: Page) => page.getByText("parrot").first() },
  { name: "topology", path: "/topology", ready: (page: Page) => page.getByRole("link", { name: /parrot/ }).first() },
  { name: "audit", path: "/audit", ready: (page: Page) => page.getByText("parrot").first() }
]

const take = async (service: Service, run: string): Promise<void> => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] })
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await browser.newPage({ colorScheme, reducedMotion: "reduce", viewport: { width: 1200, height: 750 } })
    await page.goto(service.link)
    await page.getByRole("navigation", { name: "Pages" }).waitFor()
    for (const { name, path, ready } of pages(run)) {
      await page.goto(service.url + path)
      await ready(page).waitFor()
      await page.getByRole("button", { name: /\(Live\)/ }).waitFor()
      await page.getByRole("status", { name: "Loading" }).first().waitFor({ state: "detached" })
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) })
      console.log(`docs/images/console/${name}-${colorScheme}.png`)
    }
  }
  await browser.close()
}

mkdirSync(folder, { recursive: true })
const service = await Service.start()
try {
  await take(service, await fill(service))
} finally {
  await service.close()
}
