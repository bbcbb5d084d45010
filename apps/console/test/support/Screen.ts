/**
 * What stands on the screen, by the names a person reads or hears.
 */
import type { Locator, Page } from "playwright-core"

export const detail = (page: Page): Locator => page.getByRole("region", { name: /^Task / })

export const question = (page: Page): Locator => page.getByRole("region", { name: "Question" })

/** A status as it stands beside the name of the selected task. */
export const status = (page: Page, text: string): Locator => detail(page).getByText(text, { exact: true }).first()

export const tasks = (page: Page): Locator =>
  page.getByRole("tree", { name: "Tasks of this run" }).getByRole("treeitem")

export const tab = (page: Page, name: string): Locator => page.getByRole("tab", { name })

/** The button that tells how fresh the page is. */
export const live = (page: Page, words: string | RegExp = /live updates/): Locator =>
  page.getByRole("button", { name: words })

/** Fills in a yes, and sends it. */
export const accept = async (page: Page, name: string): Promise<void> => {
  await question(page).getByRole("checkbox", { name }).check()
  await question(page).getByRole("button", { name: "Accept" }).click()
}

/** Presses a key until the focus is there. */
export const pressUntil = async (page: Page, key: string, target: Locator): Promise<void> => {
  await target.waitFor()
  for (let presses = 0; presses < 60; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press(key)
  }
  throw new Error(`${key} does not lead to ${String(target)}`)
}
