/** Small packages in the styles of large ones: what becomes of them must behave as they did. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { integrate } from "../../src/Integrate.ts"
import { writeOutput } from "../../src/Output.ts"
import { verify } from "../../src/Verify.ts"
import { emptyFolder, type Files, folderOf, migrateAll } from "../Folder.ts"

interface Package {
  readonly files: Files
  /** Files that stay CommonJS. */
  readonly kept?: ReadonlyArray<string>
}

const packages: Readonly<Record<string, Package>> = {
  "a cycle whose members need each other when called": {
    files: {
      "index.js": "exports.even = n => n === 0 || require('./odd')(n - 1)\nexports.odd = require('./odd')\n",
      "odd.js":
        "const index = require('./index')\nmodule.exports = odd\nfunction odd (n) { return n !== 0 && index.even(n - 1) }\n",
      "verify.json": JSON.stringify({ safe: ["even", "odd"], arguments: [[0, 1, 2, 3, 10, 11]] })
    }
  },
  "a cycle that is read while loading": {
    files: {
      "index.js": "exports.name = () => 'base'\nexports.sub = require('./sub')\n",
      "sub.js": "const { name } = require('./index')\nmodule.exports = { name: name === undefined ? null : name() }\n",
      "leaf.js": "exports.index = require('./index')\n",
      "verify.json": JSON.stringify({ safe: ["name"], arguments: [[1]] })
    },
    kept: ["index.js", "sub.js"]
  },
  "a function whose prototype is read in a cycle while loading": {
    files: {
      "index.js":
        "module.exports = A\nfunction A () {}\nA.prototype.x = 1\nA.keys = () => require('./keys')\nrequire('./keys')\n",
      "keys.js": "const A = require('./index')\nmodule.exports = Object.keys(A.prototype)\n",
      "verify.json": JSON.stringify({ safe: ["keys"], arguments: [] })
    },
    kept: ["index.js", "keys.js"]
  },
  "classes that share a prototype in a lazy cycle, as streams do": {
    files: {
      "index.js":
        "module.exports = Read\nlet Both\nfunction Read () { Both = Both || require('./both'); this.both = this instanceof Both }\nRead.prototype.read = function () { return 'r' }\n",
      "both.js":
        "const Read = require('./index')\nmodule.exports = Both\nfunction Both () { Read.call(this) }\nBoth.prototype = Object.create(Read.prototype)\nfor (const k of Object.keys(Read.prototype)) Both['own_' + k] = k\n",
      "main.js":
        "const Read = require('./index'), Both = require('./both')\nexports.look = () => [new Read().both, new Both().both, Both.own_read]\n",
      "package.json": "{\"main\": \"main\"}",
      "verify.json": JSON.stringify({ safe: ["look"], arguments: [] })
    }
  },
  "compiled TypeScript": {
    files: {
      "index.js":
        "'use strict'\nObject.defineProperty(exports, '__esModule', { value: true })\nexports.twice = exports.one = void 0\n" +
        "const one_1 = require('./one')\nObject.defineProperty(exports, 'one', { enumerable: true, get: function () { return one_1.one } })\n" +
        "function twice (n) { return (0, one_1.one)() * 2 * n }\nexports.twice = twice\nexports.default = twice\n",
      "one.js":
        "'use strict'\nObject.defineProperty(exports, '__esModule', { value: true })\nexports.one = one\nfunction one () { return 1 }\n",
      "verify.json": JSON.stringify({ safe: ["one", "twice", "default"], arguments: [[1, 2.5, "x"]] })
    }
  },
  "a state that others change": {
    files: {
      "index.js":
        "const state = require('./state')\nexports.up = () => { state.count++; return state.count }\nexports.read = () => require('./reader')()\n",
      "state.js": "exports.count = 0\nexports.kept = 1\n",
      "reader.js":
        "const { count } = require('./state')\nconst state = require('./state')\nmodule.exports = () => [count, state.count, state.kept]\n",
      "verify.json": JSON.stringify({ safe: ["up", "read"], arguments: [] })
    }
  },
  "a choice while loading, and JSON": {
    files: {
      "index.js":
        "if (process.platform === 'no such') module.exports = require('./other')\nelse module.exports = require('./node')\n",
      "node.js": "const { version } = require('./package')\nexports.version = () => version\n",
      "other.js": "throw new Error('wrong platform')\n",
      "package.json": "{\"name\": \"p\", \"version\": \"1.2.3\"}",
      "verify.json": JSON.stringify({ safe: ["version"], arguments: [] })
    }
  },
  "a file that lives on sloppy mode": {
    files: {
      "index.js": "module.exports = first\nfunction first (a) { a = 'changed'; return arguments[0] }\n",
      "user.js": "const first = require('./index')\nexports.first = first\n",
      "verify.json": JSON.stringify({ safe: [""], arguments: [["given", 1]] })
    },
    kept: ["index.js"]
  },
  "order that matters": {
    files: {
      "index.js":
        "var log = require('./log'), first = require('./make')('first'), second = require('./second')\nexports.log = () => log.slice()\n",
      "log.js": "module.exports = []\n",
      "make.js": "const log = require('./log')\nlog.push('make')\nmodule.exports = name => name\n",
      "second.js": "require('./log').push('second')\n",
      "verify.json": JSON.stringify({ safe: ["log"], arguments: [] })
    }
  }
}

describe("packages in many styles", () => {
  for (const [title, { files, kept }] of Object.entries(packages)) {
    it(`moves ${title}`, { timeout: 60_000 }, async () => {
      const original = folderOf({ "package.json": "{\"name\": \"p\"}", ...files })
      const { inventory, results } = await migrateAll(original)
      const tree = await integrate(inventory, results)
      const out = emptyFolder()
      await writeOutput(out, tree)
      assert.deepStrictEqual(tree.kept.map(({ path }) => path), kept ?? [])
      const report = await verify({ original, migrated: out, cases: 100 })
      assert.isTrue(report.ok, JSON.stringify(report, null, 2) + readFileSync(`${out}/index.js`, "utf8"))
      assert.strictEqual(report.equal, 100)
    })
  }
})
