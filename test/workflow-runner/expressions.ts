import { data, Evaluator, Lexer, Parser } from '@actions/expressions'

/** `github`, `inputs`, `secrets`, … as JSON; what is undefined is left out, and so null in an expression. */
export type Contexts = Readonly<Record<string, unknown>>

/** What `success()`, `failure()` and `cancelled()` ask for. */
export type Status = 'success' | 'failure' | 'cancelled'

/** The value of an expression by GitHub's own evaluator, as JSON. Throws where it names what there is not. */
export function evaluate(expression: string, contexts: Contexts, status: Status = 'success'): unknown {
  const known = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary
  const functions = statusFunctions(status)
  const { tokens } = new Lexer(expression).lex()
  const tree = new Parser(tokens, Object.keys(contexts), [...functions.values()]).parse()
  const value = new Evaluator(tree, known, functions).evaluate()
  return JSON.parse(JSON.stringify(value, data.replacer))
}

const EXPRESSION = /\$\{\{([\s\S]*?)\}\}/g
const ONLY_EXPRESSION = /^\s*\$\{\{((?:(?!\}\})[\s\S])*)\}\}\s*$/

/** A value of the workflow with its expressions evaluated; one that is nothing but an expression keeps its type. */
export function resolve(value: unknown, contexts: Contexts, status?: Status): unknown {
  if (Array.isArray(value)) return value.map(each => resolve(each, contexts, status))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, resolve(each, contexts, status)]),
    )
  if (typeof value !== 'string') return value
  const whole = ONLY_EXPRESSION.exec(value)?.[1]
  if (whole !== undefined) return evaluate(whole, contexts, status)
  return value.replace(EXPRESSION, (_, inner: string) => toText(evaluate(inner, contexts, status)))
}

/** Whether an `if:` holds: success is asked for unless it asks for a status itself. */
export function holds(condition: unknown, contexts: Contexts, status: Status): boolean {
  const text = condition === undefined ? 'success()' : String(condition)
  const inner = ONLY_EXPRESSION.exec(text)?.[1] ?? text
  const asks = /\b(success|failure|always|cancelled)\s*\(/.test(inner)
  return Boolean(evaluate(asks ? inner : `success() && (${inner})`, contexts, status))
}

/** As GitHub writes a value into text. */
export function toText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? (Array.isArray(value) ? 'Array' : 'Object') : String(value)
}

function statusFunctions(status: Status) {
  const answers: Record<string, boolean> = {
    success: status === 'success',
    failure: status === 'failure',
    cancelled: status === 'cancelled',
    always: true,
  }
  return new Map(
    Object.entries(answers).map(([name, answer]) => [
      name,
      { name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(answer) },
    ]),
  )
}
