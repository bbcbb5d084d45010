/**
 * What may go wrong with any request: it cannot be read, it is too large, the service is stopping, or there is a bug.
 *
 * The service's implementation turns schema errors and defects into these, so that no endpoint ever answers anything but
 * its schema or an `ApiError`.
 */
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { BadRequest, Internal, TooLarge, UnavailableResponse, UnsupportedMediaType } from "./ApiError.ts"

/** Reads the body within limits, and gives every failure its shape. */
export class Guard extends HttpApiMiddleware.Service<Guard>()("@coppice/api/Guard", {
  error: [BadRequest, TooLarge, UnsupportedMediaType, Internal, UnavailableResponse]
}) {}
