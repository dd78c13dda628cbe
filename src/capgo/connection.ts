/** The connection that every family of requests uses: the funnel, the hosts, the key. */
import type { Http } from './http.ts'

export interface Connection {
  readonly http: Http
  readonly api: string
  readonly files: string
  readonly plugin: string
  /** Headers of the API and the files service. */
  readonly key: Readonly<Record<string, string>>
  /** Base of the database's REST service and its headers; asked once. */
  database(): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }>
}
