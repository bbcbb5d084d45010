/**
 * The console when the network or the service fails: nothing is lost, nothing is told twice, and the page says how it
 * stands.
 */
import type { Page } from "playwright-core"
import { assert } from "vitest"
import { accept, live, question, status, tab, tasks } from "../support/Screen.ts"
import type { Service } from "../support/Service.ts"
import { chapter, test } from "../support/Story.ts"

/** The numbers of all facts the list has, scrolled from its top to its end. */
const factsOf = async (page: Page, count: number): Promise<ReadonlyArray<number>> => {
  const list = page.getByRole("list", { name: "Facts" })
  await page.getByRole("status").filter({ hasText: `${count} facts` }).waitFor()
  const seen = new Set<number>()
  await list.evaluate((element) => element.scrollTo(0, 0))
  for (let last = -1; seen.size > last;) {
    last = seen.size
    const facts = list.getByTitle(/, fact \d+$/)
    const titles = await facts.evaluateAll((found) => found.map((element) => element.getAttribute("title") ?? ""))
    for (const title of titles) seen.add(Number(/\d+$/.exec(title)?.[0]))
    await list.evaluate((element) => element.scrollBy(0, element.clientHeight / 2))
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
  }
  return [...seen].sort((a, b) => a - b)
}

const logged = async (service: Service, id: string): Promise<ReadonlyArray<number>> =>
  (await service.ask("GET", `/tasks/${id}/events?limit=1000`)).events.map(({ seq }: { readonly seq: number }) => seq)

const standing = async (page: Page) => {
  const words = await live(page).getAttribute("title") ?? ""
  const [, at, reconnects, gaps, repeated] = /fact (\d+) · (\d+) reconnects · (\d+) gaps · (\d+) repeated/.exec(words)!
  return { at: Number(at), reconnects: Number(reconnects), gaps: Number(gaps), repeated: Number(repeated) }
}

chapter("a bad connection", () => {
  test("18: the stream is cut again and again, and no fact is missing or there twice", async ({ come, proxy, service }) => {
    const { id } = await service.submit("release", { parts: 2, naps: 0, text: "Cut?" })
    const { page, troubles } = await come(`/runs/${id}`)
    await tab(page, "Events").click()
    await live(page, /\(Live\)/).waitFor()
    for (let cut = 1; cut <= 3; cut++) {
      proxy.cut()
      await live(page, /\(Offline\)/).waitFor()
      await page.getByText("The service does not answer").waitFor()
      await service.ask("POST", `/tasks/${id}/steer`, { message: `message ${cut}` })
      proxy.target = service.port
      await page.getByRole("button", { name: "Try now" }).click({ timeout: 2_000 }).catch(() => {})
      await live(page, /\(Live\)/).waitFor()
    }
    const facts = await logged(service, id)
    assert.deepStrictEqual(await factsOf(page, facts.length), facts)
    const { at, gaps, reconnects, repeated } = await standing(page)
    assert.isAtLeast(at, facts.at(-1)!)
    assert.deepStrictEqual({ gaps, repeated }, { gaps: 0, repeated: 0 })
    assert.isAtLeast(reconnects, 3)
    assert.deepStrictEqual(troubles, [])
  })

  test("the service is killed under an open page, and the page goes on with the next one", async ({ come, proxy, service }) => {
    const { id } = await service.submit("approve", { text: "Still there?" })
    const { page, troubles } = await come(`/runs/${id}`)
    await question(page).waitFor()
    await service.end("SIGKILL")
    await live(page, /\(Offline\)/).waitFor()
    await service.start()
    proxy.target = service.port
    await live(page, /\(Live\)/).waitFor()
    await accept(page, "ok")
    await status(page, "Completed").waitFor()
    assert.deepStrictEqual(troubles, [])
  })

  test("paused, nothing moves; resumed, all of it is there", async ({ come, service }) => {
    const { page, troubles } = await come()
    await live(page, /\(Live\)/).click()
    await live(page, /^Resume live updates \(Paused/).waitFor()
    const { id } = await service.submit("parrot", { text: "while you looked away" })
    await live(page, /Paused, \d+ new/).waitFor()
    const row = page.getByRole("table", { name: "Runs" }).getByRole("row").filter({ hasText: id })
    assert.strictEqual(await row.count(), 0)
    await live(page).click()
    await row.filter({ hasText: "Completed" }).waitFor()
    assert.deepStrictEqual(troubles, [])
  })

  test("a tree that grows while the network fails is whole afterwards", async ({ come, proxy, service }) => {
    const { id } = await service.submit("fan", { width: 300 })
    const { page, troubles } = await come(`/runs/${id}`)
    await tasks(page).nth(3).waitFor()
    proxy.cut()
    await live(page, /\(Offline\)/).waitFor()
    await service.ask("GET", `/tasks/${id}/result?wait=30`).catch(() => undefined)
    proxy.target = service.port
    await live(page, /\(Live\)/).waitFor()
    await status(page, "Completed").waitFor()
    await page.getByText("301 tasks").waitFor()
    assert.deepStrictEqual(troubles, [])
  })
})
