/**
 * `npm run limits`: how the console bears 10,000 runs, a tree of 5,000 tasks and 50,000 facts, in a real browser over the
 * real service.
 *
 * Prints, for each: when something was painted first and when the first rows stood there (milliseconds from the beginning of
 * the navigation), how long what a person does then takes to be seen, and the heap after a collection. Times depend on the
 * machine; nothing here passes or fails.
 */
import { chromium, type Locator, type Page } from "playwright-core"
import { Service } from "../test/support/Service.ts"

const executablePath = process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium"

const sizes = { runs: 10_000, tasks: 5_000, facts: 50_000 }

interface Row {
  readonly what: string
  readonly value: number
  readonly unit: "ms" | "MB"
}

const rows: Array<Row> = []

const note = (what: string, value: number, unit: Row["unit"] = "ms"): void => {
  rows.push({ what, value: Math.round(value), unit })
}

/** How long it takes until the effect of an act is on the screen. */
const measure = async (what: string, act: () => Promise<unknown>, seen: Locator): Promise<void> => {
  const began = performance.now()
  await act()
  await seen.waitFor()
  note(what, performance.now() - began)
}

const opened = async (page: Page, what: string, url: string, first: Locator): Promise<void> => {
  const began = performance.now()
  await page.goto(url)
  await first.waitFor()
  note(`${what}: first rows`, performance.now() - began)
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0)
  note(`${what}: first paint`, paint)
}

const heap = async (page: Page, what: string): Promise<void> => {
  const session = await page.context().newCDPSession(page)
  await session.send("HeapProfiler.collectGarbage")
  const { usedSize } = await session.send("Runtime.getHeapUsage")
  note(`${what}: heap`, usedSize / 1e6, "MB")
  await session.detach()
}

/** Scrolls a list down until its last entry is there. */
const toTheEnd = async (page: Page, last: Locator): Promise<void> => {
  while (!(await last.isVisible())) {
    await page.mouse.wheel(0, 100_000)
    await page.evaluate(() => new Promise(requestAnimationFrame))
  }
}

const finished = async (service: Service, id: string): Promise<void> => {
  while ((await service.ask("GET", `/tasks/${id}/result?wait=30`)).task.endedAt === null);
}

/** Submits in waves, so that the queue of the agent is never full. */
const fill = async (
  service: Service
): Promise<{ readonly first: string; readonly tree: string; readonly log: string }> => {
  const first = await service.submit("parrot", { text: "the first of all" })
  for (let done = 1; done < sizes.runs; done += 50) {
    const wave = Array.from(
      { length: Math.min(50, sizes.runs - done) },
      (_, i) => service.submit("parrot", { text: `number ${done + i}` })
    )
    await Promise.all(wave)
  }
  const tree = await service.submit("fan", { width: sizes.tasks - 1 })
  const log = await service.submit("chatter", { lines: sizes.facts })
  await finished(service, tree.id)
  await finished(service, log.id)
  return { first: first.id, tree: tree.id, log: log.id }
}

const runs = async (page: Page, url: string, first: string): Promise<void> => {
  const row = page.getByRole("row")
  await opened(page, "runs", `${url}/`, row.nth(5))
  const list = row.nth(5)
  await list.hover()
  await measure(
    `runs: all ${sizes.runs} read by scrolling`,
    () => toTheEnd(page, page.getByText(first)),
    page.getByText(first)
  )
  await measure(
    "runs: filtered by text",
    () => page.getByRole("searchbox").fill("fan"),
    page.getByRole("row", { name: /fan/ }).first()
  )
  await heap(page, "runs")
}

const tree = async (page: Page, url: string, run: string): Promise<void> => {
  const items = page.getByRole("treeitem")
  await opened(page, "tree", `${url}/runs/${run}`, items.nth(5))
  await measure("tree: a task selected", () => items.nth(5).click(), page.getByRole("region", { name: /^Task parrot/ }))
  await measure("tree: as a timeline", () => page.getByText("Timeline", { exact: true }).click(), items.nth(5))
  await items.nth(5).hover()
  await measure("tree: scrolled to its end", async () => {
    for (let i = 0; i < 20; i++) await page.mouse.wheel(0, 100_000)
  }, items.last())
  await heap(page, "tree")
}

const facts = async (page: Page, url: string, run: string): Promise<void> => {
  await opened(page, "facts", `${url}/runs/${run}`, page.getByRole("tab", { name: "Events" }))
  const list = page.getByRole("tabpanel", { name: "Events" })
  await measure(
    "facts: opened",
    () => page.getByRole("tab", { name: "Events" }).click(),
    list.getByText("Created").first()
  )
  await list.getByText("Created").first().hover()
  const last = list.getByText("Completed").first()
  await measure(`facts: all ${sizes.facts} read by scrolling`, () => toTheEnd(page, last), last)
  await heap(page, "facts")
}

const print = (): void => {
  const width = Math.max(...rows.map(({ what }) => what.length))
  for (const { unit, value, what } of rows) console.log(`${what.padEnd(width)}  ${String(value).padStart(7)} ${unit}`)
}

const service = await Service.start()
try {
  const began = performance.now()
  const made = await fill(service)
  console.log(
    `${sizes.runs} runs, a run of ${sizes.tasks} tasks and a task of ${sizes.facts} facts made in ${
      Math.round((performance.now() - began) / 1_000)
    } s`
  )
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] })
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.setDefaultTimeout(60_000)
  await page.goto(service.link)
  await page.getByRole("navigation", { name: "Pages" }).waitFor()
  await runs(page, service.url, made.first)
  await tree(page, service.url, made.tree)
  await facts(page, service.url, made.log)
  await browser.close()
  print()
} finally {
  await service.close()
}
