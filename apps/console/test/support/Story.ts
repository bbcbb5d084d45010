/**
 * `test` with a browser: one for a file, a context of its own for each person of a test, one service for a file.
 *
 * Without Chromium every test is skipped. `CHROMIUM_BIN` names another one than Debian's.
 */
import { existsSync } from "node:fs"
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import { describe, test as base, vi } from "vitest"
import { Proxy } from "./Proxy.ts"
import { agents, Service } from "./Service.ts"

const executablePath = process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium"

/** How long something may take to be seen, milliseconds: the machine may be busy. */
const patience = 15_000

/** What a page did that no page of the console may do. */
interface Trouble {
  readonly kind: "dialog" | "error" | "csp" | "foreign" | "popup"
  readonly text: string
}

/** A person with a browser of their own. */
export interface Person {
  readonly page: Page
  readonly context: BrowserContext
  readonly troubles: ReadonlyArray<Trouble>
}

const watch = (page: Page, origin: string, troubles: Array<Trouble>): void => {
  const tell = (kind: Trouble["kind"], text: string) => void troubles.push({ kind, text })
  page.on("dialog", (dialog) => {
    tell("dialog", dialog.message())
    void dialog.dismiss()
  })
  page.on("pageerror", (error) => tell("error", error.message))
  page.on("console", (message) => {
    // what Chromium says about the policy of the page, which needs no listener within it
    if (/content security policy/i.test(message.text())) tell("csp", message.text())
  })
  page.on("popup", (popup) => tell("popup", popup.url()))
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`)) tell("foreign", request.url())
  })
}

interface Look {
  readonly colorScheme?: "light" | "dark"
}

/** Someone new at the console, signed in by the link unless they are to come without. */
const person = async (browser: Browser, link: string, look: Look = {}): Promise<Person> => {
  const context = await browser.newContext({ reducedMotion: "reduce", viewport: { width: 1280, height: 800 }, ...look })
  context.setDefaultTimeout(patience)
  const page = await context.newPage()
  const troubles: Array<Trouble> = []
  watch(page, new URL(link).origin, troubles)
  await page.goto(link)
  return { page, context, troubles }
}

/** Starts the browser. */
const launch = (): Promise<Browser> => chromium.launch({ executablePath, args: ["--no-sandbox"] })

vi.setConfig({ testTimeout: 4 * patience })

/** A group of stories. Where no browser is they are skipped, and the group says why. */
export const chapter = (name: string, stories: () => void): void => {
  // oxlint-disable-next-line vitest/valid-describe-callback -- the stories are the caller's
  describe.skipIf(!existsSync(executablePath))(`${name} (needs Chromium)`, stories)
}

// vitest reads off the pattern what a fixture needs
/* oxlint-disable no-empty-pattern */
export const test = base
  .extend("config", { scope: "file" }, agents)
  .extend("chromium", { scope: "file" }, async ({}, { onCleanup }) => {
    const browser = await launch()
    onCleanup(() => browser.close())
    return browser
  })
  .extend("proxy", { scope: "file" }, async ({}, { onCleanup }) => {
    const proxy = await Proxy.open()
    onCleanup(() => proxy.close())
    return proxy
  })
  .extend("service", { scope: "file" }, async ({ config, proxy }, { onCleanup }) => {
    const service = await Service.start({ config, allowHosts: proxy.host })
    proxy.target = service.port
    onCleanup(() => service.close())
    return service
  })
  .extend("come", async ({ chromium, proxy, service }, { onCleanup }) => {
    const people: Array<Person> = []
    onCleanup(async () => {
      for (const { context } of people) await context.close()
    })
    /** A further person, at the start page or elsewhere, over the proxy. */
    return async (path = "/", look?: Look): Promise<Person> => {
      const someone = await person(chromium, `http://${proxy.host}/#token=${service.token}`, look)
      people.push(someone)
      await someone.page.getByRole("navigation", { name: "Pages" }).waitFor()
      if (path !== "/") await someone.page.goto(`http://${proxy.host}${path}`)
      return someone
    }
  })
