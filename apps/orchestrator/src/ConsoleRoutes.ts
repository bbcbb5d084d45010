/**
 * The web console: one page for every address of its own, and the files the page names.
 *
 * The files carry a digest of what is in them in their names, so a browser may keep them for ever; the page itself is asked
 * for again each time. Where no console was built, the same addresses say so.
 */
import { openApiPath } from "@coppice/api/Api"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerError } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import * as Layer from "effect/Layer"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The service's own folder, or its `dist` once it is compiled. */
const home = fileURLToPath(new URL("..", import.meta.url))

/** What was built comes with the compiled service; in a clone it stands in its own folder. */
const places = [join(home, "console"), join(home, "../console/dist/site"), join(home, "../../console/dist/site")]

/** The folder the console was built into. */
export const Site = Context.Reference<string>("@coppice/orchestrator/ConsoleRoutes/Site", {
  defaultValue: () => places.find((place) => existsSync(join(place, "index.html"))) ?? places[1]!
})

/** Whether there is a console now. */
export const isBuilt = (site: string): boolean => existsSync(join(site, "index.html"))

const missing = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Coppice</title>
<h1>Coppice is running</h1>
<p>The console is not built here. In a clone, <code>npm run build</code> builds it; then load this page again.</p>
<ul>
  <li>On the command line: <code>coppice ps</code>, <code>coppice inbox</code>, <code>coppice --help</code></li>
  <li>Over HTTP: <a href="${openApiPath}">the API's description</a></li>
</ul>
`

/** What the page's own router knows: a reload or a link from elsewhere begins here. */
const pages = ["/", "/runs/*", "/inbox/*", "/answer", "/agents/*", "/topology/*", "/audit/*", "/dev"] as const

const isRouteNotFound = (error: unknown): boolean =>
  error instanceof HttpServerError && error.reason._tag === "RouteNotFound"

/** The page at every address of the console, and its files. */
export const layer = Layer.effectDiscard(
  Effect.gen(function*() {
    const router = yield* HttpRouter.HttpRouter
    const root = yield* Site
    const page = yield* HttpStaticServer.make({ root, cacheControl: "no-cache" })
    const files = yield* HttpStaticServer.make({ root, cacheControl: "public, max-age=31536000, immutable" })

    const notBuilt = HttpServerResponse.html(missing)
    const index = Effect.updateService(page, HttpServerRequest, (request) => request.modify({ url: "/index.html" }))
      .pipe(
        Effect.catchIf(isRouteNotFound, () => Effect.succeed(notBuilt))
      )
    for (const path of pages) yield* router.add("GET", path, index)
    yield* router.add("GET", "/assets/*", files)
  }).pipe(Effect.orDie)
)
