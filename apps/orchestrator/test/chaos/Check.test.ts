import { assert, describe, it } from "@effect/vitest"
import { check, resumed, runAgain } from "../../chaos/Check.ts"
import { fact, stepKey, type Story, story } from "../support/Story.ts"

/** What the checkers say of a history after something was done to it. */
const afterwards = (bend: (story: Story) => void): ReadonlyArray<string> => {
  const bent = story()
  bend(bent)
  return check(bent).flatMap(({ broken, promise }) => broken.map((line) => `${promise} ${line}`))
}

/** Takes a fact out of the log and of everything that was told of it, so that nobody misses its number. */
const without = (story: Story, seq: number): void => {
  story.log = story.log.filter((fact) => fact.seq !== seq).map((fact, i) => ({ ...fact, seq: i + 1 }))
  story.seen = story.log
}

const replace = (story: Story, seq: number, event: object): void => {
  story.log = story.log.map((old) => old.seq === seq ? fact(seq, old.run, old.task, event) : old)
  story.seen = story.log
}

const add = (story: Story, run: string, task: string, event: object): void => {
  story.log.push(fact(story.log.length + 1, run, task, event))
  story.seen = story.log
}

/** Lines that say something else than expected, and expectations no line meets. */
const amiss = (broken: ReadonlyArray<string>, ...expected: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...broken.filter((line, i) => expected[i] === undefined || !new RegExp(expected[i]).test(line)),
  ...expected.slice(broken.length)
]

describe("the checkers are content", () => {
  it("with a history in which nothing is wrong, and look at each of its parts", () => {
    const verdicts = check(story())
    assert.deepStrictEqual(verdicts.flatMap(({ broken }) => broken), [])
    assert.deepStrictEqual(verdicts.map(({ looked, promise }) => [promise, looked]), [
      ["I1", 2],
      ["I1", 14],
      ["I2", 4],
      ["I2", 1],
      ["I3", 1],
      ["I4", 1],
      ["I5", 1],
      ["api", 7],
      ["I6", 1],
      ["I6", 1],
      ["I7", 4],
      ["I9", 4],
      ["I11", 2],
      ["log", 14],
      ["result", 1]
    ])
  })

  it("and count what has no right value", () => {
    assert.strictEqual(runAgain(story()), 1)
    assert.strictEqual(resumed(story()), 1)
  })
})

describe("I1", () => {
  it("a created task that is lost", () => {
    const broken = afterwards((story) => {
      story.journal.push({ _tag: "Submitted", at: 1, key: "k", agent: "parent", input: null, task: "gone" })
    })
    assert.deepStrictEqual(amiss(broken, "I1 task gone was acknowledged for key k and is lost"), [])
  })

  it("a key that made two tasks", () => {
    const broken = afterwards((story) => {
      const event = { ...story.log[0]!.event, run: "twin" }
      add(story, "twin", "twin", event)
      add(story, "twin", "twin", { _tag: "Completed", result: 1 })
    })
    assert.deepStrictEqual(
      amiss(
        broken,
        "I1 key parent key of root made 2 tasks: root, twin",
        "I2 task twin is in the log and cannot be read"
      ),
      []
    )
  })

  it("a task with another input than was submitted", () => {
    assert.deepStrictEqual(
      amiss(
        afterwards((story) => {
          story.journal[0] = { _tag: "Submitted", at: 1, key: "key of root", agent: "parent", input: {}, task: "root" }
        }),
        "I1 task root is not what was submitted"
      ),
      []
    )
  })

  it("an event that was told and is not in the log", () => {
    const told = fact(15, "root", "root", { _tag: "Progressed", progress: null })
    assert.deepStrictEqual(amiss(afterwards(({ seen }) => seen.push(told)), "I1 event 15 was told and is lost"), [])
  })

  it("an event that was told otherwise", () => {
    assert.deepStrictEqual(
      amiss(
        afterwards((story) => {
          story.seen[7] = fact(8, "root", "root", { _tag: "Completed", result: { sum: 2 } })
        }),
        "I1 event 8 was told as"
      ),
      []
    )
  })

  it("an event the stream left out, told twice, or never came to", () => {
    assert.deepStrictEqual(
      amiss(afterwards(({ seen }) => seen.splice(4, 1)), "I1 the stream told 6 after 4", "I1 the stream told 13 of 14"),
      []
    )
    assert.deepStrictEqual(
      amiss(afterwards(({ seen }) => seen.splice(4, 0, seen[3]!)), "I1 the stream told 4 after 4"),
      []
    )
    assert.deepStrictEqual(amiss(afterwards(({ seen }) => seen.pop()), "I1 the stream told 13 of 14 events"), [])
    assert.deepStrictEqual(
      amiss(
        afterwards((story) => {
          story.resets = 1
        }),
        "I1 the stream did not know 1 ids"
      ),
      []
    )
  })
})

describe("I2", () => {
  it("a fact after the end", () => {
    assert.deepStrictEqual(
      amiss(
        afterwards((story) => add(story, "root", "root", { _tag: "Cancelled", by: "api", reason: null })),
        "I2 .* Cancelled after Completed"
      ),
      []
    )
    assert.deepStrictEqual(
      amiss(
        afterwards((story) => add(story, "held", "held", { _tag: "Settled", how: "stopped", took: 1 })),
        "I2 .* settled twice"
      ),
      []
    )
  })

  it("attempts out of order, and a first fact that is none", () => {
    assert.deepStrictEqual(
      amiss(afterwards((story) => replace(story, 4, { _tag: "Started", attempt: 3 })), "I2 .* attempt 3 after 1"),
      []
    )
    assert.deepStrictEqual(
      amiss(afterwards((story) => replace(story, 4, story.log[1]!.event)), "I2 .* Created as fact 3"),
      []
    )
  })

  it("a status the log does not know", () => {
    assert.deepStrictEqual(
      amiss(
        afterwards((story) => {
          story.tasks[0] = { ...story.tasks[0]!, status: "working" }
        }),
        "I2 task root reads as working, its log says completed"
      ),
      []
    )
  })

  it("a result that changed", () => {
    const broken = afterwards(({ results }) => {
      const known = results.get("root")!
      results.set("root", { ...known, completed: { output: { sum: 2 } } })
    })
    assert.deepStrictEqual(amiss(broken, "I2 the result of root was"), [])
  })
})

describe("I3 and I4", () => {
  it("a question that was asked twice, and one that is lost", () => {
    assert.deepStrictEqual(
      amiss(
        afterwards((story) => {
          story.log.splice(6, 0, story.log[5]!)
          story.log = story.log.map((fact, i) => ({ ...fact, seq: i + 1 }))
          story.seen = story.log
        }),
        "I3 root ask:0 was asked 2 times"
      ),
      []
    )
    assert.deepStrictEqual(
      amiss(
        afterwards(({ journal }) => journal.push({ _tag: "Asked", at: 1, task: "root", key: "ask:9" })),
        "I3 question root ask:9 stood in the inbox and is lost"
      ),
      []
    )
  })

  it("an answer that was acknowledged and is lost, or is another one's", () => {
    const other = { _tag: "Answered", at: 1, task: "root", key: "ask:0", content: { go: false } } as const
    assert.deepStrictEqual(
      amiss(afterwards((story) => without(story, 7)), "I4 answer .*go.* was acknowledged, the log has \\[\\]"),
      []
    )
    assert.deepStrictEqual(
      amiss(afterwards(({ journal }) => journal.push(other)), "I4 answer .*false.* was acknowledged"),
      []
    )
  })

  it("an answer that was applied twice", () => {
    const broken = afterwards((story) => {
      story.log.splice(7, 0, story.log[6]!)
      story.log = story.log.map((fact, i) => ({ ...fact, seq: i + 1 }))
      story.seen = story.log
    })
    assert.deepStrictEqual(amiss(broken, "I3 root ask:0 was answered 2 times", "I4 answer"), [])
  })
})

describe("I5 and I7", () => {
  it("a cancel that was acknowledged and is lost", () => {
    assert.deepStrictEqual(
      amiss(
        afterwards(({ journal }) =>
          journal.push({ _tag: "Cancelled", at: 1, task: "root", report: { task: "root", nodes: [] } as never })
        ),
        "I5 the cancel of root was acknowledged and is lost"
      ),
      []
    )
  })

  it("a descendant that went on, and a run that never came to rest", () => {
    const broken = afterwards((story) => {
      const cancelled = story.journal[6]!
      if (cancelled._tag === "Cancelled") Object.assign(cancelled.report.nodes[1]!, { status: "working" })
      story.reports.set("held", { converged: false, nodes: [] } as never)
    })
    assert.deepStrictEqual(amiss(broken, "I5 task below went on", "I5 the cancelled run held never came to rest"), [])
  })

  it("a task that was created below a cancelled one", () => {
    const broken = afterwards((story) => {
      add(story, "held", "late", { ...story.log[9]!.event })
      add(story, "held", "late", { _tag: "Completed", result: 1 })
    })
    assert.deepStrictEqual(
      amiss(
        broken.filter((line) => line.startsWith("I5")),
        "I5 task late was created after its run held was cancelled"
      ),
      []
    )
  })

  it("an effect after the cancel deadline, and one after its task had settled", () => {
    const broken = afterwards(({ effects }) => effects.push({ key: "below/step:x", at: 9_000, pid: 2 }))
    assert.deepStrictEqual(
      amiss(
        broken,
        "I5 below/step:x had an effect after its cancel deadline",
        "I7 below/step:x had an effect 7700 ms after"
      ),
      []
    )
  })
})

describe("the replies", () => {
  it("an error inside the service", () => {
    const broken = afterwards(({ journal }) =>
      journal.push({ _tag: "Unknown", at: 1, what: "submit", why: "internal: it broke" })
    )
    assert.deepStrictEqual(amiss(broken, "api submit was answered with internal: it broke"), [])
  })
})

describe("I6", () => {
  it("a recorded step that ran again", () => {
    const broken = afterwards(({ effects }) => effects.push({ key: `child/${stepKey}`, at: 400, pid: 2 }))
    assert.deepStrictEqual(
      amiss(broken, "I6 child/step:write:0 was recorded at 300 and ran again at 400 in process 2"),
      []
    )
  })

  it("a step that was recorded twice", () => {
    assert.deepStrictEqual(
      amiss(
        afterwards((story) => replace(story, 4, story.log[2]!.event)),
        "I6 child/step:write:0 was recorded 2 times"
      ),
      []
    )
  })

  it("an effect of a task that was never durable", () => {
    const broken = afterwards(({ effects }) => effects.push({ key: "ghost/step:x", at: 200, pid: 1 }))
    assert.deepStrictEqual(amiss(broken, "I6 ghost/step:x had an effect, its task was never durable"), [])
  })

  it("an effect whose key changed when it was done again", () => {
    const broken = afterwards(({ effects }) => effects.push({ key: "child/step:other", at: 200, pid: 1 }))
    assert.deepStrictEqual(amiss(broken, "I6 child/step:other had an effect, its task completed without it"), [])
  })
})

describe("I9 and I11", () => {
  it("a task that never came to rest", () => {
    const broken = afterwards((story) => without(story, 14))
    assert.deepStrictEqual(amiss(broken, "I9 task held .* never came to rest"), [])
  })

  it("a run that took too long without faults", () => {
    assert.deepStrictEqual(
      amiss(
        afterwards(({ calm }) => calm.push({ name: "round 2", took: 30_000, bound: 25_000 })),
        "I9 round 2 took 30000 ms"
      ),
      []
    )
  })

  it("a parent that settled before its child", () => {
    const broken = afterwards((story) => {
      const [child, parent] = [story.log[12]!, story.log[13]!]
      story.log.splice(12, 2, { ...parent, seq: 13 }, { ...child, seq: 14 })
      story.seen = story.log
    })
    assert.deepStrictEqual(
      amiss(broken.filter((line) => line.startsWith("I11")), "I11 task held settled before its child below"),
      []
    )
  })

  it("but not a child that was released", () => {
    const broken = afterwards((story) => {
      replace(story, 12, { _tag: "Released", rule: "continue" })
      const [child, parent] = [story.log[12]!, story.log[13]!]
      story.log.splice(12, 2, { ...parent, seq: 13 }, { ...child, seq: 14 })
      story.seen = story.log
    })
    assert.deepStrictEqual(broken.filter((line) => line.startsWith("I11")), [])
  })
})

describe("the log and the results", () => {
  it("a gap, and a process that wrote after its successor", () => {
    const gap = afterwards((story) => {
      story.log = story.log.filter(({ seq }) => seq !== 13)
      story.seen = story.log
    })
    assert.include(gap.join("\n"), "log event 14 stands at place 13")
    const stale = afterwards((story) => {
      story.log[6] = { ...story.log[6]!, at: 340 }
      story.seen = story.log
    })
    assert.deepStrictEqual(amiss(stale, "log event 7 of process 1 comes after one of process 2"), [])
  })

  it("an event of a time when nobody lived", () => {
    const broken = afterwards((story) => {
      story.log[3] = { ...story.log[3]!, at: 355 }
      story.seen = story.log
    })
    assert.deepStrictEqual(amiss(broken, "log event 4 was written while no process lived"), [])
  })

  it("a run that came out otherwise than undisturbed", () => {
    const broken = afterwards(({ comparisons }) =>
      comparisons.push({ name: "run 2", differences: ["a.js is missing"] })
    )
    assert.deepStrictEqual(amiss(broken, "result run 2: a.js is missing"), [])
  })
})
