/** In what form a new bundle is stored: as a zip, as single files, or both. Pure. */
import type { FilesConfig } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { formatBytes } from '../runtime/bytes.ts'
import { type DeltaFacts, type DeltaMode, decideDelta } from './delta.ts'
import type { PublishAction } from './publish-facts.ts'

export interface StoragePlan {
  /** Whether files are stored one by one, so that devices download what changed, and why. */
  readonly files: { readonly on: boolean; readonly why: string }
  /** Whether the zip is stored. */
  readonly zip: boolean
  readonly warnings: readonly string[]
}

/** As a line of the log. */
export function describeDelta({ on, why }: StoragePlan['files']): string {
  return `Delta updates are ${on ? 'on' : 'off'}: ${why}.`
}

/** Of a plan that stores no content. */
export const NOTHING_STORED: StoragePlan = {
  files: { on: false, why: 'nothing is stored' },
  zip: false,
  warnings: [],
}

export type StoringAction = Extract<PublishAction, { do: 'upload' | 'resume' }>

export function storesContent(action: PublishAction): action is StoringAction {
  return action.do === 'upload' || action.do === 'resume'
}

/** The facts that decide on a bundle's form. */
export interface StorageFacts extends Pick<DeltaFacts, 'pluginVersion' | 'fileCount'> {
  readonly delta: DeltaMode
  /** In bytes. */
  readonly zip: { readonly size: number }
}

/** Throws `delta_impossible`, `bundle_too_large`. */
export function planStorage(
  { delta: mode, pluginVersion, fileCount, zip }: StorageFacts,
  {
    partialUpload,
    maxUploadLength,
    alertUploadSize,
  }: Pick<FilesConfig, 'partialUpload' | 'maxUploadLength' | 'alertUploadSize'>,
): StoragePlan {
  const files = decideDelta({ mode, pluginVersion, serverTakesFiles: partialUpload, fileCount })
  const hasZip = mode !== 'only'
  if (hasZip && zip.size > maxUploadLength)
    throw new ActionError(
      'bundle_too_large',
      `The bundle has ${zip.size} bytes, and Capgo accepts at most ${maxUploadLength}.`,
      { hint: 'Leave out source maps and large media, or load them from a server.' },
    )
  return {
    files,
    zip: hasZip,
    warnings:
      hasZip && zip.size > alertUploadSize
        ? [
            `The bundle has ${formatBytes(zip.size)}. Capgo recommends less than ${formatBytes(alertUploadSize)}, because phones download it on mobile networks.`,
          ]
        : [],
  }
}
