/** How a case is held against what a planner says. */
import { describe, expect, it } from 'vitest'
import { ActionError } from '../../../src/errors.ts'
import { type Case, fails } from './cases/case.ts'

/** A test for each case. */
export function eachCase<Each extends Pick<Case<unknown>, 'name'>>(
  groups: Readonly<Record<string, readonly Each[]>>,
  assert: (each: Each) => void,
): void {
  for (const [about, cases] of Object.entries(groups))
    describe(about, () => {
      for (const each of cases) it(each.name, () => assert(each))
    })
}

/** Asserts result and reason. Returns the plan; null where the case is that it is refused. */
export function decided<Plan>(
  { result, why }: Pick<Case<unknown>, 'result' | 'why'>,
  make: () => Plan,
  tell: (plan: Plan) => readonly [result: string, why: string],
): Plan | null {
  const outcome = outcomeOf(make, tell)
  expect(outcome.told).toEqual([result, matching(why)])
  return outcome.plan
}

function outcomeOf<Plan>(make: () => Plan, tell: (plan: Plan) => readonly [string, string]) {
  try {
    const plan = make()
    return { plan, told: tell(plan) }
  } catch (error) {
    if (!(error instanceof ActionError)) throw error
    // Each says what to do.
    expect(error.hint).toMatch(/./)
    return { plan: null, told: [fails(error.code), error.message] }
  }
}

/** A text as it is, or what it must contain. */
export function matching(expected: string | RegExp): unknown {
  return typeof expected === 'string' ? expected : expect.stringMatching(expected)
}

/** The code and the message of what `act` throws. */
export function refusalOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return `${code}: ${message}`
  }
  return 'nothing was thrown'
}
