import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** An answer of the management or files API: `{error, message, moreInfo}`. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  /** null = the answer has none. */
  readonly moreInfo: Record<string, unknown> | null
  readonly headers: Record<string, string>

  constructor(
    status: number,
    code: string,
    message: string,
    moreInfo: Record<string, unknown> | null = {},
    headers: Record<string, string> = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.moreInfo = moreInfo
    this.headers = headers
  }

  body() {
    return { error: this.code, message: this.message, ...(this.moreInfo ? { moreInfo: this.moreInfo } : {}) }
  }
}

/** Almost every refusal of Capgo is a 400. */
export const refuse = (code: string, message: string, moreInfo: Record<string, unknown> = {}) =>
  new ApiError(400, code, message, moreInfo)

/** A database error, with PostgREST's mapping of SQLSTATE to HTTP status. */
export class PgError extends Error {
  readonly code: string
  readonly details: string | null

  constructor(code: string, message: string, details: string | null = null) {
    super(message)
    this.code = code
    this.details = details
  }

  get status(): ContentfulStatusCode {
    const statuses: Record<string, ContentfulStatusCode> = {
      '42501': 403,
      '23505': 409,
      '23503': 409,
      '42P01': 404,
      PGRST103: 416,
      PGRST116: 406,
      PGRST202: 404,
      PGRST205: 404,
      PGRST201: 300,
    }
    return statuses[this.code] ?? 400
  }

  body() {
    return { code: this.code, message: this.message, details: this.details, hint: null }
  }
}

/** What supabase-js reports when `.single()` finds nothing; management answers carry it in `moreInfo`. */
export const noRows = {
  code: 'PGRST116',
  message: 'JSON object requested, multiple (or no) rows returned',
  details: 'The result contains 0 rows',
  hint: null,
}
