/** The app of a run that builds nothing, as the repository knows it. */
import type { Opener } from '../../bundle/encrypt.ts'
import type { RunContext } from '../../context.ts'
import { judgeNativeVersions } from '../../plan/native-versions.ts'
import type { NativeVersion } from '../../plan/types.ts'
import { readConfigOnly } from './app-config.ts'
import { checkKeys, readAppOpener } from './app-keys.ts'
import { readNatives } from './project.ts'
import { type Workplace, workplaceOf } from './workplace.ts'

export interface RepositoryApp extends Pick<Workplace, 'root' | 'childEnv'> {
  readonly appId: string
  /** None without a checkout. */
  readonly natives: readonly NativeVersion[]
  /** Opens bundles as the app's devices do; null where no key is known. */
  readonly opener: Opener | null
  readonly warnings: readonly string[]
}

/** Reads the app, and proves that the key is good: lists are empty for a wrong one. */
export async function readApp(context: RunContext): Promise<RepositoryApp> {
  const app = await readRepository(context)
  await context.capgo.readApp(app.appId)
  return app
}

async function readRepository(context: RunContext): Promise<RepositoryApp> {
  const { inputs } = context
  const { privateKey } = inputs
  const { root, childEnv } = workplaceOf(context)
  const { appId, config, capacitorDirectory, warnings } = await readConfigOnly(context)
  const { natives, unread } = await readNatives(inputs, { root, directory: capacitorDirectory, config })
  const judged = judgeNativeVersions(natives, unread)
  return {
    root,
    appId,
    natives: judged.natives,
    childEnv,
    warnings: [
      ...warnings,
      ...judged.warnings,
      ...(privateKey === '' ? [] : await checkKeys(privateKey, config, root)),
    ],
    opener: await readAppOpener(privateKey, { config, capacitorDirectory }),
  }
}
