/**
 * The console's session: the token of the service, or of a person, moved into a cookie that no script can read.
 *
 * The link a service prints carries the token behind `#`, where no server and no proxy sees it. The page posts it here
 * once and takes it out of the address.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Unauthorized } from "./ApiError.ts"
import { Authorization } from "./Authorization.ts"

/** What somebody may do: look, start and stop work, answer questions. */
export const Right = Schema.Literals(["view", "operate", "approve"])
export type Right = typeof Right.Type

/** Who I am to the service, and what I may. */
export const Session = Schema.Struct({ by: Schema.String, may: Schema.Array(Right) })
export type Session = typeof Session.Type

export const SignIn = Schema.Struct({ token: Schema.RedactedFromValue(Schema.String.check(Schema.isMaxLength(512))) })

const open = HttpApiEndpoint.post("open", "/session", { payload: SignIn, success: Session, error: Unauthorized })

const show = HttpApiEndpoint.get("show", "/session", { success: Session }).middleware(Authorization)

const close = HttpApiEndpoint.delete("close", "/session")

/** The group `session`. */
export class SessionApi extends HttpApiGroup.make("session").add(open, show, close).prefix("/api/v1") {}
