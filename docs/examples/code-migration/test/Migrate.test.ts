import { assert, describe, it } from "@effect/vitest"
import { migrateFile, type Warning } from "../src/Migrate.ts"
import { type Files, migrateMain, scanFiles } from "./Folder.ts"

/** Files which `main.js` may ask for: a quiet one, a function, two that act or look around while loading, and more. */
const others: Files = {
  "x.js": "'use strict'\nexports.y = 1\nexports.z = () => 2\n",
  "fn.js": "module.exports = function fn () {}\n",
  "loud.js": "console.log('loud')\nmodule.exports = {}\n",
  "env.js": "exports.on = process.env.ON\n",
  "data.json": "{\"n\": 1}",
  "dir/index.js": "module.exports = {}\n"
}

/** Title, CommonJS, ES module; each without its final newline. */
type Row = readonly [title: string, before: string, after: string]

const requires: ReadonlyArray<Row> = [
  ["a whole module", "const x = require('./x')\nx.z()", "import x from './x.js'\nx.z()"],
  ["names", "const { y, z: zed } = require('./x')\nzed(y)", "import { y, z as zed } from './x.js'\nzed(y)"],
  ["a name no file exports", "const { no } = require('./x')", "import x from './x.js'\n\nconst { no } = x"],
  [
    "defaults and a rest",
    "const { y = 3, ...r } = require('./x')",
    "import x from './x.js'\n\nconst { y = 3, ...r } = x"
  ],
  ["one member", "const why = require('./x').y", "import { y as why } from './x.js'"],
  ["a call", "const v = require('./fn')(1)", "import fn from './fn.js'\n\nconst v = fn(1)"],
  ["a side effect", "require('./loud');", "import './loud.js';"],
  [
    "JSON",
    "const { n } = require('./data')",
    "import dataJson from './data.json' with { type: 'json' }\n\nconst { n } = dataJson"
  ],
  ["a folder", "const d = require('./dir/')", "import d from './dir/index.js'"],
  [
    "built-in modules",
    "const fs = require('fs')\nconst { join } = require('node:path')",
    "import fs from 'fs'\nimport { join } from 'node:path'"
  ],
  [
    "a variable that changes",
    "let x = require('./x')\nx = 1",
    "import xModule from './x.js'\n\nlet x = xModule\nx = 1"
  ],
  [
    "several in one declaration",
    "var fs = require('fs'),\n    n = 1, m = 2, // two\n    x = require('./x'), v = require('./fn')()",
    "import fs from 'fs'\nvar n = 1, m = 2 // two\nimport x from './x.js'\nimport fn from './fn.js'\nvar v = fn()"
  ],
  [
    "line breaks and comments",
    "const {\n  y, // why\n  z: zed,\n} = require('./x')",
    "import {\n  y, // why\n  z as zed,\n} from './x.js'"
  ],
  [
    "the quotes and semicolons of the file",
    "\"use strict\";\nvar x = require(\"./x\"); // x",
    "import x from \"./x.js\"; // x"
  ]
]

const made = "import { createRequire } from 'node:module'\n\nconst require = createRequire(import.meta.url)\n"

const inPlace: ReadonlyArray<Row> = [
  [
    "a quiet file, required in a function",
    "function f () { return require('./x').y }",
    "import x from './x.js'\n\nfunction f () { return x.y }"
  ],
  [
    "a file that acts, required in a function",
    "function f () { return require('./loud') }",
    `${made}\nfunction f () { return require('./loud') }`
  ],
  [
    "a file that looks around, required in a function",
    "function f () { return require('./env').on }",
    `${made}\nfunction f () { return require('./env').on }`
  ],
  [
    "on a condition",
    "let x\nif (process.env.X) x = require('./x')",
    `${made}\nlet x\nif (process.env.X) x = require('./x')`
  ],
  ["an optional package", "try { require('maybe') } catch {}", `${made}\ntry { require('maybe') } catch {}`],
  [
    "a computed name",
    "const load = (name) => require('./' + name)",
    `${made}\nconst load = (name) => require('./' + name)`
  ],
  ["require.resolve", "const p = require.resolve('./x')", `${made}\nconst p = require.resolve('./x')`]
]

const both = (name: string) => `export { ${name} as default, ${name} as "module.exports" }`

const exported: ReadonlyArray<Row> = [
  ["a class", "class A {}\nmodule.exports = A", `class A {}\n${both("A")}`],
  ["a named function", "module.exports = function run () {}", `function run () {}\n${both("run")}`],
  ["an arrow function, named after the file", "module.exports = (a) => a", `const main = (a) => a\n${both("main")}`],
  ["an expression", "module.exports = (1 + 2)", `const exports = (1 + 2)\n${both("exports")}`],
  [
    "an object",
    "const a = 1\nfunction b () {}\nmodule.exports = { a, c: b, d: 3, 'e-f': 4 }",
    "const a = 1\nfunction b () {}\nconst exports = { a, c: b, d: 3, 'e-f': 4 }\n" +
    `export { exports as default, exports as "module.exports", a, b as c }\nexport const { d } = exports`
  ],
  [
    "members",
    "exports.a = 1\nexports.b = () => exports.a",
    `const exports = {}\n\nexports.a = 1\nexports.b = () => exports.a\n\n${
      both("exports")
    }\nexport const { a, b } = exports`
  ],
  [
    "a class with members",
    "class A {}\nmodule.exports = A\nmodule.exports.B = class {}",
    `class A {}\nA.B = class {}\n\n${both("A")}\nexport const { B } = A`
  ],
  [
    "both names of the object",
    "exports = module.exports = {}\nconst re = exports.re = []",
    "const exports = {}\nconst re = exports.re = []\n\nexport { exports as default, exports as \"module.exports\", re }"
  ],
  [
    "a variable that is the object",
    "var api = module.exports = {}\napi.a = 1",
    `var api = {}\napi.a = 1\n\n${both("api")}\nexport const { a } = api`
  ],
  [
    "a member that changes later: not by name",
    "exports.n = 0\nexports.up = () => exports.n++",
    `const exports = {}\n\nexports.n = 0\nexports.up = () => exports.n++\n\n${
      both("exports")
    }\nexport const { up } = exports`
  ],
  [
    "another object than the first",
    "exports.a = 1\nmodule.exports = Object.create(exports)\nmodule.exports.b = 2",
    "const exports = {}\n\nexports.a = 1\nconst moduleExports = Object.create(exports)\nmoduleExports.b = 2\n\n" +
    `${both("moduleExports")}\nexport const { b } = moduleExports`
  ],
  [
    "another module",
    "module.exports = require('./x')",
    "export { default, default as \"module.exports\" } from './x.js'\nexport * from './x.js'"
  ],
  [
    "another module and more",
    "module.exports = { ...require('./x'), own: 1 }",
    `import x from './x.js'\n\nconst exports = { ...x, own: 1 }\n${
      both("exports")
    }\nexport const { own, y, z } = exports`
  ],
  [
    "names that are taken",
    "const a = 1\nexports.a = () => a\nexports.delete = 2",
    "const exports = {}\n\nconst a = 1\nexports.a = () => a\nexports.delete = 2\n\n" +
    "const { a: aValue, delete: deleteValue } = exports\n" +
    `export { exports as default, exports as "module.exports", aValue as a, deleteValue as delete }`
  ],
  [
    "whatever a condition says",
    "if (process.env.X) module.exports = 1\nelse module.exports = 2",
    "const module = { exports: {} }\n\nif (process.env.X) module.exports = 1\nelse module.exports = 2\n\n" +
    `const moduleExports = module.exports\n${both("moduleExports")}`
  ],
  [
    "a UMD wrapper, without semicolons",
    "(function (root, make) {\n  typeof module === 'object' ? module.exports = make() : root.x = make()\n})(this, () => 1)",
    "const module = { exports: {} }\nconst firstExports = module.exports;\n\n" +
    "(function (root, make) {\n  typeof module === 'object' ? module.exports = make() : root.x = make()\n" +
    `})(firstExports, () => 1)\n\nconst moduleExports = module.exports\n${both("moduleExports")}`
  ]
]

const around: ReadonlyArray<Row> = [
  ["use strict", "// header\n'use strict'\n\nconst a = 1", "// header\nconst a = 1"],
  ["the shebang", "#!/usr/bin/env node\nconst fs = require('fs')", "#!/usr/bin/env node\nimport fs from 'fs'"],
  [
    "__dirname and __filename",
    "log(__dirname, { __filename })",
    "log(import.meta.dirname, { __filename: import.meta.filename })"
  ],
  [
    "am I main?",
    "if (require.main === module) run()\nif (module.parent) stay()",
    "if (import.meta.main) run()\nif (!import.meta.main) stay()"
  ],
  ["typeof process", "const p = typeof process === 'object' ? 1 : 2", "const p = typeof process === 'object' ? 1 : 2"],
  [
    "variables that are only called so",
    "function f (require, module) { return require(module) }",
    "function f (require, module) { return require(module) }"
  ],
  [
    "comments of a function below new lines",
    "// Licence\n\n/** f */\nfunction f () { require('./x') }",
    "// Licence\n\nimport x from './x.js'\n\n/** f */\nfunction f () { x }"
  ],
  [
    "Windows line ends",
    "const x = require('./x')\r\nexports.a = 1\r\n",
    `import x from './x.js'\r\n\r\nconst exports = {}\r\nexports.a = 1\r\n\r\n${
      both("exports")
    }\r\nexport const { a } = exports\r\n`
  ]
]

const tables = { requires, "requires that stay": inPlace, exports: exported, "the rest of a file": around }

for (const [table, rows] of Object.entries(tables)) {
  describe(`migrateFile: ${table}`, () => {
    for (const [title, before, after] of rows) {
      it(`moves ${title}`, async () => {
        const result = await migrateMain(before, others)
        assert(result.status === "migrated", JSON.stringify(result))
        assert.strictEqual(result.code.trimEnd(), after.trimEnd())
      })
    }
  })
}

const refused: ReadonlyArray<readonly [title: string, code: string, place: string, text: string]> = [
  ["a syntax error", "unparsable", "2:7", "let a\nconst = 1"],
  ["a top-level return", "not-module-syntax", "1:10", "if (x) { return }"],
  ["with", "not-module-syntax", "1:1", "with (Math) max(1)"],
  ["an undeclared variable", "implicit-global", "1:1", "leaked = 1"],
  ["the global object as this", "sloppy-this", "1:16", "(function () { this.x = 1 })()"],
  ["the global object in a plain function", "sloppy-this", "1:17", "function f () { this.x = 1 }\nf()"],
  ["parameters through arguments", "arguments-alias", "1:21", "o => function (e) { e = 1; o.apply(this, arguments) }"],
  ["arguments.callee", "arguments-callee", "1:17", "function f () { arguments.callee() }"],
  ["a block's function, used outside", "block-function", "1:10", "if (x) { function g () {} }\ng()"],
  ["eval", "direct-eval", "1:1", "eval('require')"],
  ["the module cache", "require-internals", "1:8", "delete require.cache[__filename]"],
  ["module.paths", "module-internals", "1:1", "module.paths.push('x')"],
  [
    "exports replaced later",
    "exports-replaced-later",
    "1:17",
    "function f () { module.exports = 1 }\nmodule.exports = f"
  ]
]

describe("migrateFile: bad input", () => {
  for (const [title, code, place, text] of refused) {
    it(`refuses ${title}`, async () => {
      const result = await migrateMain(text)
      assert(result.status === "failed", JSON.stringify(result))
      assert.strictEqual(result.reason.code, code)
      assert.strictEqual(`${result.reason.line}:${result.reason.column}`, place)
    })
  }

  it("refuses a file that changed since the scan", async () => {
    const inventory = await scanFiles({ "main.js": "exports.a = 1\n" })
    const result = migrateFile(inventory, "main.js", "exports.a = 2\n")
    assert(result.status === "failed")
    assert.strictEqual(result.reason.code, "source-changed")
  })

  it("refuses a file nobody scanned", async () => {
    const inventory = await scanFiles({ "main.js": "" })
    const result = migrateFile(inventory, "../etc/passwd", "")
    assert(result.status === "failed")
    assert.strictEqual(result.reason.code, "unknown-file")
  })

  it("refuses an inventory that lies, without throwing", async () => {
    const inventory = await scanFiles({ "main.js": "require('./x')\n", "x.js": "" })
    const file = { ...inventory.files["main.js"]!, requires: [] }
    const result = migrateFile({ ...inventory, files: { "main.js": file } }, "main.js", "require('./x')\n")
    assert(result.status === "failed")
    assert.strictEqual(result.reason.code, "internal")
  })
})

const warned: ReadonlyArray<readonly [title: string, code: string, risky: boolean, text: string]> = [
  ["a computed require", "computed-require", true, "module.exports = (n) => require(n)"],
  ["a file that is not there", "missing-target", true, "require('./gone')"],
  ["a package that is not installed", "package-absent", true, "require('not-installed')"],
  ["require handed on", "require-passed-on", true, "const r = require\nr('x')"],
  ["the module object kept", "module-held", true, "const m = module\nm.exports = 1"],
  ["an action before an import", "import-order", true, "globalThis.a = 1\nrequire('./loud')"],
  ["a value before an import", "import-order", false, "const a = compute()\nrequire('./loud')"],
  ["a lazy require", "lazy-require", false, "exports.f = () => require('./loud')"],
  ["a member without a name", "unnamed-export", false, "exports.f = () => { exports.n = 1 }"],
  ["sloppy mode", "now-strict", false, "const a = 1"]
]

describe("migrateFile: warnings", () => {
  for (const [title, code, risky, text] of warned) {
    it(`warns of ${title}`, async () => {
      const result = await migrateMain(text, others)
      assert(result.status === "migrated", JSON.stringify(result))
      const found = result.warnings.find((warning: Warning) => warning.code === code)
      assert.strictEqual(found?.risky, risky, JSON.stringify(result.warnings))
    })
  }

  it("warns of nothing in a plain strict file, and counts what it did", async () => {
    const result = await migrateMain("'use strict'\nconst x = require('./x')\nmodule.exports = x.y\n", others)
    assert(result.status === "migrated")
    assert.deepStrictEqual(result.warnings, [])
    assert.deepStrictEqual(result.diff, { added: 3, removed: 3, hunks: 1 })
    assert.deepStrictEqual(result.changes, {
      "module.exports to export": 1,
      "require to import": 1,
      "use strict removed": 1
    })
  })
})
