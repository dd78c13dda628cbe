/** Something for which the web folder cannot be shipped. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly hint: string
}
