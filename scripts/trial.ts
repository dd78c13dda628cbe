/** What `try` and `examples` know of an app that they run the action with. */
import { join } from 'node:path'
import { ActionError } from '../src/errors.ts'
import type { Trigger } from '../src/event.ts'
import { gatherApp } from '../src/gather.ts'
import { readInputs } from '../src/inputs.ts'
import { createStop } from '../src/stop.ts'
import { readActionMetadata } from './readme.ts'

export const PROJECT = join(import.meta.dirname, '..')

export interface App {
  readonly id: string
  readonly native: string
  readonly nativeSource: string
  /** Whether the repository tells the native version. */
  readonly isKnown: boolean
}

/** As the action itself finds it in a checkout. Null where that fails: the run tells why, and better. */
export async function readApp(
  checkout: string,
  inputs: Readonly<Record<string, string>>,
): Promise<App | null> {
  const { inputs: declared } = readActionMetadata()
  try {
    const { appId, natives } = await gatherApp(
      // The default of the token is an expression, which is resolved before the action sees it.
      readInputs(name => (name === 'github-token' ? '' : (inputs[name] ?? declared[name]?.default ?? ''))),
      { event: 'push' } as Trigger,
      {
        workspace: checkout,
        env: process.env,
        evaluator: { script: join(PROJECT, 'dist/evaluate-config/index.js'), node: process.execPath },
        stop: createStop(),
      },
    )
    const [known] = natives
    // A new native project has this version.
    const { version, source } = known ?? { version: '1.0', source: 'nothing tells, so 1.0 is taken' }
    return { id: appId, native: version, nativeSource: source, isKnown: known !== undefined }
  } catch (error) {
    if (error instanceof ActionError) return null
    throw error
  }
}
