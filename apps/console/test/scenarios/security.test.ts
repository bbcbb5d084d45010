/**
 * The console as an attacker sees it: who gets in, what a page may load, and texts that want to be more than text.
 */
import type { Page } from "playwright-core"
import { assert } from "vitest"
import * as Hostile from "../support/Hostile.ts"
import { question, status, tab } from "../support/Screen.ts"
import type { Service } from "../support/Service.ts"
import { chapter, type Person, test } from "../support/Story.ts"

const tabs = ["Overview", "Conversation", "Events", "MCP messages"]

/** Opens whatever a panel keeps closed. */
const openAll = async (page: Page): Promise<void> => {
  const closed = page.getByRole("tabpanel").getByRole("button", { expanded: false })
  while (await closed.count() > 0) await closed.first().click()
}

const seeRun = async ({ page }: Person, origin: string, id: string, names = tabs): Promise<void> => {
  await page.goto(`${origin}/runs/${id}`)
  for (const name of names) {
    await tab(page, name).click()
    await page.getByRole("tabpanel").getByRole("status", { name: "Loading" }).first().waitFor({ state: "detached" })
    await openAll(page)
  }
}

/** Nothing of all this became part of the page. */
const isInert = async ({ page, troubles }: Person, origin: string): Promise<void> => {
  const found = await page.evaluate(() => ({
    xss: "xss" in window,
    scripts: document.scripts.length,
    foreign:
      document.querySelectorAll("iframe, object, embed, base, meta[http-equiv], img, [onerror], [onload]").length,
    links: [...document.links].map(({ href }) => href).filter((href) => !/^https?:/.test(href)),
    origin: location.origin
  }))
  assert.deepStrictEqual(found, { xss: false, scripts: 1, foreign: 0, links: [], origin })
  assert.deepStrictEqual(troubles, [])
}

/** One run of every way an agent can say something. */
const plant = async (service: Service) => {
  const text = Hostile.everything
  const runs = await Promise.all(
    ["parrot", "refuse", "crash", "approve"].map((agent) => service.submit(agent, { text }))
  )
  const visits = await Promise.all(Hostile.urls.map((url) => service.submit("visit", { text, url })))
  const cancelled = await service.submit("nap", { seconds: 600 })
  await service.ask("POST", `/tasks/${cancelled.id}/steer`, { message: text.slice(0, 4_000) })
  await service.ask("POST", `/tasks/${cancelled.id}/cancel`, { reason: text.slice(0, 4_000) })
  return { runs: [...runs, cancelled], visits }
}

chapter("an attacker", () => {
  test("nobody comes in without the token, and the token stays nowhere a script could find it", async ({ come, proxy, service }) => {
    const { context, page, troubles } = await come()
    assert.strictEqual(page.url(), `http://${proxy.host}/`)
    const [cookie] = await context.cookies()
    assert.include(cookie, { name: "coppice-token", httpOnly: true, sameSite: "Strict" })
    assert.notInclude(await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie])), service.token)

    await page.getByRole("button", { name: "Sign out" }).click()
    await page.getByRole("heading", { name: "Sign in to this service" }).waitFor()
    assert.deepStrictEqual(await context.cookies(), [])
    await page.getByLabel("Token or link").fill("not the token")
    await page.getByRole("button", { name: "Sign in" }).click()
    await page.getByRole("alert").waitFor()
    assert.deepStrictEqual(await context.cookies(), [])
    await page.getByLabel("Token or link").fill(service.token)
    await page.getByRole("button", { name: "Sign in" }).click()
    await page.getByRole("heading", { name: "Runs" }).waitFor()
    assert.deepStrictEqual(troubles, [])
  })

  test("the policy of the page allows its own files and nothing else, and is kept", async ({ come, service }) => {
    for (const path of ["/", "/runs/x", "/inbox", "/api/v1/session", "/assets/none.js"]) {
      const policy = (await fetch(service.url + path)).headers.get("content-security-policy")
      assert.match(
        policy ?? "",
        /^default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'/,
        path
      )
      assert.notMatch(policy ?? "", /unsafe|data:|blob:|\*|https?:/, path)
    }
    // and a page that broke it would be noticed here
    const { page, troubles } = await come()
    await page.evaluate(() => {
      const script = document.createElement("script")
      script.textContent = "window.xss = 1"
      document.body.append(script)
      const image = document.createElement("img")
      image.src = "http://evil.test/x.png"
      document.body.append(image)
    })
    await page.waitForEvent("console", { timeout: 1_000 }).catch(() => undefined)
    assert.isAtLeast(troubles.filter(({ kind }) => kind === "csp").length, 2)
    assert.isFalse(await page.evaluate(() => "xss" in window))
  })

  test("hostile texts stay texts, wherever they are shown", async ({ come, proxy, service }) => {
    const origin = `http://${proxy.host}`
    const { runs, visits } = await plant(service)
    const mallory = await come()
    const { page } = mallory
    await page.getByRole("table", { name: "Runs" }).getByText("<script>").first().waitFor()
    await isInert(mallory, origin)
    for (const { id } of runs) {
      await seeRun(mallory, origin, id)
      await isInert(mallory, origin)
    }
    for (const { id } of visits) {
      await seeRun(mallory, origin, id, ["Overview"])
      await isInert(mallory, origin)
    }
    for (
      const path of [
        "/inbox",
        "/agents",
        "/topology",
        "/audit",
        `/?q=${encodeURIComponent(Hostile.everything.toWellFormed())}`
      ]
    ) {
      await page.goto(origin + path)
      await page.getByRole("heading", { level: 1 }).waitFor()
      await page.getByRole("status", { name: "Loading" }).first().waitFor({ state: "detached" })
      await isInert(mallory, origin)
    }
  })

  test("a hostile answer is a text, too", async ({ come, proxy, service }) => {
    const { id } = await service.submit("approve", { text: "Well?" })
    const mallory = await come(`/runs/${id}`)
    const { page } = mallory
    await question(page).getByLabel("note").fill(Hostile.texts.join(" "))
    await question(page).getByRole("button", { name: "Accept" }).click()
    await status(page, "Completed").waitFor()
    await seeRun(mallory, `http://${proxy.host}`, id)
    await isInert(mallory, `http://${proxy.host}`)
  })
})
