/**
 * What axe says about every page, in the light and in the dark.
 */
import axe from "axe-core"
import type { Page } from "playwright-core"
import { assert } from "vitest"
import { detail, question, tab, tasks } from "../support/Screen.ts"
import { chapter, test } from "../support/Story.ts"

/** Its findings, in words. It comes in by the debugger, so the policy of the page stays as it is. */
const findings = async (page: Page, where: string): Promise<ReadonlyArray<string>> => {
  await page.getByRole("status", { name: "Loading" }).first().waitFor({ state: "detached" })
  await page.evaluate(axe.source)
  const { passes, violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run())
  assert.isAbove(passes.length, 10, `${where}: axe looked at nothing`)
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ failureSummary, html }) => `${where}: ${id}: ${html.slice(0, 200)} ${failureSummary ?? ""}`)
  )
}

chapter("axe finds nothing", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`on any page in the ${colorScheme}`, async ({ come, proxy, service }) => {
      const { id } = await service.submit("release", { parts: 2, naps: 1, text: "Go on?" })
      await service.submit("refuse", { text: "no" })
      const { page, troubles } = await come("/", { colorScheme })
      const found: Array<string> = []
      const look = async (where: string) => void found.push(...await findings(page, where))
      const visit = async (path: string) => {
        await page.goto(`http://${proxy.host}${path}`)
        await page.getByRole("heading").first().waitFor()
      }

      await page.getByRole("table", { name: "Runs" }).waitFor()
      await look("runs")
      await page.getByRole("button", { name: "Start a run" }).first().click()
      await page.getByRole("dialog").getByLabel("parts").waitFor()
      await look("start")
      await visit("/?q=nothing-like-that")
      await look("no runs")
      await visit(`/runs/${id}`)
      await tasks(page).filter({ hasText: "approve" }).click()
      await question(page).waitFor()
      for (const name of ["Overview", "Conversation", "Events", "MCP messages"]) {
        await tab(page, name).click()
        await look(`run, ${name}`)
      }
      await page.getByRole("button", { name: "Timeline" }).click()
      await look("timeline")
      await detail(page).getByRole("button", { name: "Cancel", exact: true }).first().click()
      await page.getByRole("button", { name: /^Cancel \d+ task/ }).waitFor()
      await look("cancel")
      for (const path of ["/inbox", "/agents", "/topology", "/audit", "/runs/none"]) {
        await visit(path)
        await look(path)
      }
      await page.getByRole("button", { name: "Sign out" }).click()
      await page.getByRole("heading", { name: /^Sign in/ }).waitFor()
      await look("sign in")
      assert.deepStrictEqual(found, [])
      assert.deepStrictEqual(troubles, [])
    })
  }
})
