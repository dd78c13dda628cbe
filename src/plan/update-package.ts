/** The forms of a bundle that a channel demands (`channels.update_package`; newer servers). Pure. */
import type { BundleRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import type { DeltaMode } from './delta.ts'

/** Throws where this run would make a bundle in a form that the channel does not take. `demand` is null where none is known. */
export function requireFormOf(mode: DeltaMode, demand: string | null, channelName: string): void {
  if (mode === 'only')
    requireZip(demand, channelName, 'the input "delta" is only', 'Set the input "delta" to auto or true')
  if (mode === 'false')
    requireFiles(demand, channelName, 'the input "delta" is false', 'Set the input "delta" to auto or true')
}

/** Throws where a bundle that is there lacks the form that the channel demands. */
export function requireForms(bundle: BundleRow, demand: string | null, channelName: string): void {
  const cure = `Publish its commit to channel ${channelName} with "delta: true"`
  if (bundle.r2_path === null && bundle.external_url === null)
    requireZip(demand, channelName, `bundle ${bundle.name} has none`, cure)
  if (bundle.manifest_count === 0) requireFiles(demand, channelName, `bundle ${bundle.name} has none`, cure)
}

/** Whether a bundle may lack what a channel demands. */
export function mayLackForm({ r2_path, external_url, manifest_count }: BundleRow): boolean {
  return (r2_path === null && external_url === null) || manifest_count === 0
}

function requireZip(demand: string | null, channelName: string, why: string, cure: string): void {
  if (!demand?.startsWith('zip')) return
  throw new ActionError('channel_zip_required', refusedFor('a zip', demand, channelName, why), {
    hint: hintOf(cure),
  })
}

function requireFiles(demand: string | null, channelName: string, why: string, cure: string): void {
  if (!demand?.startsWith('delta')) return
  throw new ActionError('channel_delta_required', refusedFor('delta files', demand, channelName, why), {
    hint: hintOf(cure),
  })
}

function refusedFor(form: string, demand: string, channelName: string, why: string): string {
  return `Channel ${channelName} accepts only bundles with ${form} (update package "${demand}"), and ${why}.`
}

function hintOf(cure: string): string {
  return `${cure}, or change the update package of the channel in the Capgo console.`
}
