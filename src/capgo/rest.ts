/** The forms that requests have: rows and functions of Capgo's database, and routes of its API. */
import * as z from 'zod/mini'
import type { Connection } from './connection.ts'
import { refusal } from './errors.ts'
import type { Permission } from './permissions.ts'
import type { HttpRequest } from './request.ts'
import { type HttpResponse, parseResponse, totalOf } from './response.ts'

interface Purpose {
  /** The purpose, for messages: "read channel beta". */
  readonly purpose: string
  /** The permission whose lack looks like a refusal here. */
  readonly needs?: Permission
  /** Refusals that the caller understands; every other one throws. */
  readonly expects?: (response: HttpResponse) => boolean
}

export interface RowRequest<T> extends Purpose {
  /** The table with its query: `channels?name=eq.beta&select=id`. */
  readonly path: string
  readonly row: z.ZodMiniType<T>
}

/** A change of rows; they are returned as they are after it. */
export interface RowChange<T> extends RowRequest<T> {
  readonly fields: Readonly<Record<string, unknown>>
}

export interface FunctionCall<T> extends Purpose {
  readonly name: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly result: z.ZodMiniType<T>
}

export interface ApiRequest extends Purpose {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the address of the API. */
  readonly path: string
  readonly json?: Readonly<Record<string, unknown>>
  /** `repeat` where it is left out. */
  readonly retry?: HttpRequest['retry']
}

interface DatabaseRequest extends Purpose {
  readonly method: HttpRequest['method']
  readonly path: string
  readonly json?: unknown
  readonly prefer?: string
  /** Statuses other than 200 that are none of a refusal. */
  readonly success?: readonly number[]
}

export type Rest = ReturnType<typeof createRest>

/** All of them throw what Capgo refused as an `ActionError`, and what `http` throws. */
export function createRest({ http, api, key, database }: Connection) {
  async function query(request: DatabaseRequest): Promise<HttpResponse> {
    const { purpose, method, path, json, prefer, success = [] } = request
    const { url, headers } = await database()
    const response = await http.send({
      purpose,
      method,
      url: `${url}/${path}`,
      headers: prefer === undefined ? headers : { ...headers, prefer },
      ...(json === undefined ? {} : { json }),
      retry: 'repeat',
    })
    if (success.includes(response.status)) return response
    return accept(response, request)
  }

  return {
    /** Rows of a table in one request; none where it was refused as expected. */
    async select<T>({ row, ...request }: RowRequest<T>): Promise<T[]> {
      const response = await query({ ...request, method: 'GET' })
      return response.status === 200 ? parseResponse(z.array(row), response, request.purpose) : []
    },

    /** The same with the number of rows that there are in all; null where the server does not say. */
    async selectCounted<T>({ row, ...request }: RowRequest<T>): Promise<{ rows: T[]; total: number | null }> {
      // 206 when there are more rows than the response has.
      const response = await query({ ...request, method: 'GET', prefer: 'count=exact', success: [206] })
      return { rows: parseResponse(z.array(row), response, request.purpose), total: totalOf(response) }
    },

    /** The changed rows. */
    async patch<T>({ row, fields, ...request }: RowChange<T>): Promise<T[]> {
      const response = await query({ ...request, method: 'PATCH', json: fields, prefer: RETURN_ROWS })
      return parseResponse(z.array(row), response, request.purpose)
    },

    /** Changes rows and returns nothing of them. */
    async update({ fields, ...request }: Omit<RowChange<never>, 'row'>): Promise<void> {
      await query({ ...request, method: 'PATCH', json: fields, success: [201, 204] })
    },

    /** The new row; null where it was refused as expected. */
    async insert<T>({ row, fields, ...request }: RowChange<T>): Promise<T | null> {
      const response = await query({
        ...request,
        method: 'POST',
        json: fields,
        prefer: RETURN_ROWS,
        success: [201],
      })
      return response.status === 201 ? parseResponse(z.tuple([row]), response, request.purpose)[0] : null
    },

    /** Deletes rows. The response says which, or is a refusal that is expected. */
    remove: (request: Purpose & { readonly path: string }): Promise<HttpResponse> =>
      query({ ...request, method: 'DELETE', prefer: RETURN_ROWS }),

    /** The result of a database function. */
    async rpc<T>({ name, parameters, result, ...request }: FunctionCall<T>): Promise<T> {
      const response = await query({ ...request, method: 'POST', path: `rpc/${name}`, json: parameters })
      return parseResponse(result, response, request.purpose)
    },

    /** The API's response has the status 200, or is a refusal that is expected. */
    async api(request: ApiRequest): Promise<HttpResponse> {
      const { purpose, method, path, json, retry = 'repeat' } = request
      const response = await http.send({
        purpose,
        method,
        url: `${api}${path}`,
        headers: key,
        ...(json === undefined ? {} : { json }),
        retry,
      })
      return accept(response, request)
    },
  }
}

const RETURN_ROWS = 'return=representation'

function accept(response: HttpResponse, { purpose, needs, expects }: Purpose): HttpResponse {
  if (response.status === 200 || expects?.(response)) return response
  throw refusal(purpose, response, needs)
}
