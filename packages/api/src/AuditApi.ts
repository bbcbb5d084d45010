/**
 * Who decided what: submissions, answers, steering, cancellations, deletions, and requests that were refused.
 *
 * Entries outlive the runs they tell of, are chained by hashes (`@coppice/task/Audit`) and hold no content.
 */
import { AuditCheck, AuditEntry, DecisionKind } from "@coppice/task/Audit"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { BadRequest, Conflict, NotFound } from "./ApiError.ts"
import { Authorization } from "./Authorization.ts"

export { AuditCheck, AuditEntry, DecisionKind }

/** One page, newest first; `next` is the `before` of the next one, `null` at the end. */
export const AuditPage = Schema.Struct({ entries: Schema.Array(AuditEntry), next: Schema.NullOr(Schema.Int) })
export type AuditPage = typeof AuditPage.Type

const list = HttpApiEndpoint.get("list", "/audit", {
  query: {
    /** A run, by the beginning of its id; whole when the run is deleted. */
    run: Schema.optionalKey(Schema.String),
    by: Schema.optionalKey(Schema.String),
    kind: Schema.optionalKey(DecisionKind),
    before: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }))),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 })))
  },
  success: AuditPage,
  error: [BadRequest, NotFound, Conflict]
})

const check = HttpApiEndpoint.get("check", "/audit/check", { success: AuditCheck })

/** The group `audit`. */
export class AuditApi extends HttpApiGroup.make("audit").add(list, check).middleware(Authorization).prefix("/api/v1") {}
