import { assert, describe, it } from "@effect/vitest"
import { RunScreen } from "../src/RunScreen.ts"
import { created, fact, key, noon, request, texts } from "./support/fixtures.ts"

const size = { columns: 80, rows: 24 }
const enter = key("return")
const interrupt = key("c", { ctrl: true })

const make = (options = {}) => new RunScreen("root", { canAsk: true, ...options })

const begun = (options = {}) => {
  const screen = make(options)
  screen.fact(created("root", "release", null))
  return screen
}

/** A run with a question on the screen, long enough to have been read. */
const asking = (options = {}) => {
  const screen = begun(options)
  screen.fact(created("a", "approve", "root"))
  screen.fact(fact("a", { _tag: "InputRequested", request: request("Go?") }))
  screen.frame(noon, 0, size)
  return screen
}

const later = noon + 1_000
const press = (screen: RunScreen, ...keys: ReadonlyArray<ReturnType<typeof key>>) =>
  keys.map((one) => screen.press(one, later)).at(-1)

const received = (by: string) =>
  fact("a", { _tag: "InputReceived", key: "q1", response: { action: "decline", content: null, by } })

const picture = (screen: RunScreen, beat: number | undefined = 0) => texts(screen.frame(later, beat, size)).join("\n")

describe("RunScreen", () => {
  it("shows the tree and the way out", () => {
    assert.match(picture(begun()), /^⠋ release .*\n\nCtrl-C leave$/)
  })

  it("asks, and hands the answer over", () => {
    const screen = asking()
    assert.include(picture(screen), "approve asks")
    press(screen, key("y"), enter, enter, enter)
    const [order] = screen.takeOrders()
    assert.deepInclude(order, { _tag: "Answer", action: "accept", content: { approve: true } })
    assert.notInclude(picture(screen), "approve asks")
    assert.deepStrictEqual(screen.takeOrders(), [])
  })

  it("takes no key that was pressed before the question could be read", () => {
    const screen = asking()
    screen.press(key("y"), noon + 100)
    screen.press(enter, noon + 120)
    assert.include(picture(screen), "❯ approve")
  })

  it("takes the form away when somebody else answers, and tells who", () => {
    const screen = asking()
    press(screen, key("y"))
    screen.fact(received("grace"))
    assert.notInclude(picture(screen), "approve asks")
    assert.deepStrictEqual(texts(screen.takeNotices()), ["? approve: grace answered first (decline)"])
  })

  it("tells who was faster when the answer came too late", () => {
    const screen = asking()
    press(screen, key("y"), enter, enter, enter)
    const [order] = screen.takeOrders()
    assert(order?._tag === "Answer")
    screen.tooLate(order.question)
    screen.fact(received("grace"))
    assert.deepStrictEqual(texts(screen.takeNotices()), ["? approve: grace answered first (decline)"])
  })

  it("asks again when the service refuses the answer", () => {
    const screen = asking()
    press(screen, key("y"), enter, enter, enter)
    const [order] = screen.takeOrders()
    assert(order?._tag === "Answer")
    screen.refused(order.question, "reason: too short")
    assert.include(picture(screen), "reason: too short")
  })

  it("leaves a question open when asked to, and says how to answer it", () => {
    const screen = asking()
    press(screen, key("escape"), key("4"))
    assert.include(picture(screen), "answer it with: coppice answer a")
    assert.lengthOf(screen.takeNotices(), 1)
  })

  it("asks one question at a time, the oldest first", () => {
    const screen = asking()
    screen.fact(created("b", "legal", "root"))
    screen.fact(fact("b", { _tag: "InputRequested", request: request("And the licence?") }))
    assert.include(picture(screen), "1 more question waits")
    screen.fact(received("grace"))
    assert.include(picture(screen), "legal asks")
  })

  it("asks nothing where nobody can answer", () => {
    const screen = asking({ canAsk: false })
    assert.include(picture(screen), "answer it with: coppice answer a")
  })

  it("asks before it leaves, and leaves the run alone unless told otherwise", () => {
    const screen = begun()
    assert.isFalse(press(screen, interrupt))
    assert.include(picture(screen), "❯ leave it running")
    press(screen, enter)
    assert.deepStrictEqual(screen.takeOrders(), [{ _tag: "Leave" }])
  })

  it("cancels when told to", () => {
    const screen = begun()
    press(screen, interrupt, key("down"), enter)
    assert.deepStrictEqual(screen.takeOrders(), [{ _tag: "Cancel" }])
  })

  it("stays, and leaves at once the second time", () => {
    const screen = begun()
    press(screen, interrupt, key("escape"))
    assert.notInclude(picture(screen), "leave it running")
    assert.isFalse(press(screen, interrupt))
    assert.isTrue(press(screen, interrupt))
  })

  it("only looks when it watches", () => {
    const screen = asking({ isWatching: true })
    assert.include(picture(screen), "q leave")
    assert.isTrue(press(screen, key("q")))
    assert.isTrue(screen.interrupt())
  })

  it("says when the service is away", () => {
    const screen = begun()
    screen.isOffline = true
    assert.include(picture(screen), "the service does not answer")
  })

  it("is over when the root has ended, and after a cancellation when it is at rest", () => {
    const screen = begun()
    screen.fact(fact("root", { _tag: "Cancelled", by: "ada", reason: null }))
    assert.isFalse(screen.isOver)
    screen.fact(fact("root", { _tag: "Settled", how: "stopped", took: 1 }))
    assert.isTrue(screen.isOver)
    assert.match(picture(screen, undefined), /^⊘ release/)
  })

  it("fits the screen", () => {
    const screen = asking()
    for (let index = 0; index < 100; index++) screen.fact(created(`c${index}`, "wait", "root"))
    assert.isAtMost(screen.frame(later, 0, size).length, 23)
  })
})
