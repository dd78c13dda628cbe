import { Hono } from 'hono'
import semver from 'semver'
import { requireKey } from './auth.ts'
import { allowed, type Body, bodyOrQuery, type C, type Env, isAppId, jsonBody } from './context.ts'
import { refuseUnencrypted } from './encryption.ts'
import { type ApiError, noRows, PgError, refuse } from './errors.ts'
import { can } from './permissions.ts'
import { MAX_ROWS } from './postgrest-shape.ts'
import type { BundleRow, ChannelRow } from './rows.ts'

const PAGE = 50

export const bundles = new Hono<Env>()
bundles.use('/*', requireKey)

const invalidApp = (app_id: unknown) =>
  refuse('invalid_app_id', 'App ID must be a reverse domain string', { app_id })

const isVersionName = (name: unknown): name is string =>
  typeof name === 'string' && /^\d/.test(name) && semver.parse(name) !== null

/**
 * Capgo computes the upper bound of a page given in the query string by joining texts: page=1 gives rows 50 to 549.
 * Rows may thus come on two pages, and a page may hold more than 50.
 */
export function pageOf<T>(rows: T[], page: unknown): T[] {
  if (page === undefined || page === '0' || page === 0) return rows.slice(0, PAGE)
  const from = Number(page) * PAGE
  const to = typeof page === 'string' ? Number(`${from}${PAGE - 1}`) : from + PAGE - 1
  return rows.slice(from, Math.min(to + 1, from + MAX_ROWS))
}

bundles.get('/', async c => {
  const { store } = c.get('capgo')
  const body = await bodyOrQuery(c)
  const { app_id, page } = body
  if (!app_id) throw refuse('missing_app_id', 'Missing app_id', { body })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  if (!allowed(c, 'app.read_bundles', app_id))
    throw refuse('cannot_get_bundle', "You can't access this app", { app_id })
  const rows = pageOf(
    store.list('app_versions', { app_id, deleted: false }, 'ORDER BY created_at DESC, id DESC'),
    page,
  )
  if (rows.length === 0) throw refuse('cannot_get_bundle', 'Cannot get bundle', { supabaseError: null })
  return c.json(rows)
})

bundles.post('/', async c => {
  const { store } = c.get('capgo')
  const body = await jsonBody(c)
  const { app_id, version, external_url, checksum, session_key, key_id } = body
  if (!app_id) throw refuse('missing_app_id', 'Missing required field: app_id')
  if (!isAppId(app_id)) throw invalidApp(app_id)
  if (!version) throw refuse('missing_version', 'Missing required field: version')
  if (!external_url) throw refuse('missing_external_url', 'Missing required field: external_url')
  if (!checksum) throw refuse('missing_checksum', 'Missing required field: checksum')
  if (!isVersionName(version)) {
    const message = 'Version must be valid semver format (e.g., 1.0.0, 1.0.0-alpha.1)'
    throw refuse('invalid_version_format', message, { version })
  }
  if (!allowed(c, 'app.upload_bundle', app_id))
    throw refuse('cannot_create_bundle', "You can't access this app", { app_id })
  if (!String(external_url).startsWith('https://'))
    throw refuse('invalid_protocol', 'External URL must use HTTPS protocol', { external_url })
  const app = store.find('apps', { app_id })
  if (!app) throw refuse('cannot_find_app', 'Cannot find app', { app_id })
  const refused = refuseUnencrypted(store, { owner_org: app.owner_org, session_key, key_id })
  if (refused !== null)
    throw refuse(refused.code, refused.message, {
      enforce_encrypted_bundles: true,
      ...(refused.code === 'encryption_required' ? {} : { required_encryption_key: true }),
    })
  if (store.find('app_versions', { app_id, name: version, deleted: false }))
    throw refuse('version_already_exists', 'Version already exists', { version })
  try {
    // The URL is not fetched and the checksum not compared.
    const bundle = store.insert(
      'app_versions',
      {
        app_id,
        name: version,
        external_url,
        checksum,
        session_key: session_key ?? null,
        key_id: key_id ?? null,
        storage_provider: 'external',
        user_id: c.get('key').user_id,
      },
      { key: c.get('key') },
    )
    return c.json({ status: 'success', bundle })
  } catch (error) {
    if (error instanceof PgError)
      throw refuse('cannot_create_bundle', 'Cannot create bundle', { supabaseError: error.body() })
    throw error
  }
})

bundles.put('/', async c => {
  const { store, profile } = c.get('capgo')
  const body = await bodyOrQuery(c)
  const result = store.transaction(() => promote(c, body))
  const { channel, bundle } = result
  const target = profile === 'new' ? { assignmentTarget: result.target } : {}
  return c.json({
    status: 'success',
    message: `Bundle ${bundle.name} set to channel ${channel.name}`,
    ...target,
  })
})

/** Points a channel at a bundle, with the checks and in the order of PUT /bundle. */
export function promote(
  c: C,
  body: Body,
): { channel: ChannelRow; bundle: BundleRow; target: 'stable' | 'rollout' } {
  const { store, profile } = c.get('capgo')
  const { app_id, version_id, channel_id } = body
  if (!app_id || !version_id || !channel_id)
    throw refuse('missing_required_fields', 'Missing required fields', { app_id, version_id, channel_id })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  const channel = store.find('channels', { id: Number(channel_id), app_id })
  if (!can(store, c.get('key'), 'channel.promote_bundle', app_id, channel?.id))
    throw refuse('cannot_access_app', "You can't access this app", { app_id, channel_id })
  const bundle = store.find('app_versions', { id: Number(version_id), app_id, deleted: false })
  if (!bundle) throw refuse('cannot_find_version', 'Cannot find version')
  if (!channel) throw refuse('cannot_find_channel', 'Cannot find channel')
  // [N] `target` says which of the two bundles is meant; auto = the rollout when one is running
  const wanted = profile === 'new' ? (body.target ?? 'stable') : 'stable'
  const target = wanted === 'rollout' || (wanted === 'auto' && channel.rollout_enabled) ? 'rollout' : 'stable'
  try {
    const patch = target === 'rollout' ? { rollout_version: bundle.id } : { version: bundle.id }
    return { channel: store.update('channels', channel, patch, { key: c.get('key') }), bundle, target }
  } catch (error) {
    if (error instanceof PgError)
      throw (
        formRefused(error) ??
        refuse('cannot_set_bundle_to_channel', 'Cannot set bundle to channel', { error: error.message })
      )
    throw error
  }
}

/** [N] what the database says of a bundle's form, as the API passes it on. */
export function formRefused({ message }: PgError): ApiError | null {
  const code = /^CHANNEL_(?:ZIP|DELTA)_REQUIRED/.exec(message)?.[0]
  return code === undefined ? null : refuse(code.toLowerCase(), message.slice(code.length + 2))
}

bundles.delete('/', async c => {
  const { store, deleteAllAttempts } = c.get('capgo')
  const body = await bodyOrQuery(c)
  const { app_id, version } = body
  if (!app_id) throw refuse('missing_app_id', 'Missing app_id', { body })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  const isDeleteAll = !version
  if (isDeleteAll) deleteAllAttempts.push(c.env.record)
  if (!allowed(c, 'bundle.delete', app_id))
    throw refuse('cannot_delete_bundle', "You can't access this app", { app_id })
  const isLinked = (bundle: BundleRow) =>
    store.select(
      'channels',
      'app_id = ? AND (version = ? OR rollout_version = ?)',
      [app_id, bundle.id, bundle.id],
      'LIMIT 1',
    ).length > 0
  if (isDeleteAll) {
    // The real danger of this route, kept on purpose: everything that no channel points at goes.
    for (const bundle of store.list('app_versions', { app_id, deleted: false }))
      if (!isLinked(bundle)) store.update('app_versions', bundle, { deleted: true }, { key: c.get('key') })
    return c.json({ status: 'ok' })
  }
  const bundle = store.find('app_versions', { app_id, name: String(version), deleted: false })
  if (!bundle) throw refuse('cannot_delete_version', 'Cannot delete version', { supabaseError: noRows })
  if (isLinked(bundle))
    throw refuse('cannot_delete_linked_version', 'Cannot delete a bundle linked to a channel', {
      app_id,
      version,
    })
  store.update('app_versions', bundle, { deleted: true }, { key: c.get('key') })
  return c.json({ status: 'ok' })
})

bundles.post('/metadata', async c => {
  const { store } = c.get('capgo')
  const { app_id, version_id, link, comment } = await jsonBody(c)
  if (!app_id || !version_id)
    throw refuse('missing_required_fields', 'Missing required fields', { app_id, version_id })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  if (!allowed(c, 'app.upload_bundle', app_id))
    throw refuse('cannot_update_bundle_metadata', "You can't access this app", { app_id })
  const bundle = store.find('app_versions', { id: Number(version_id), app_id })
  if (!bundle) throw refuse('cannot_find_version', 'Cannot find version', { supabaseError: noRows })
  if (link === undefined && comment === undefined) throw refuse('no_fields_to_update', 'No fields to update')
  const patch = { ...(link === undefined ? {} : { link }), ...(comment === undefined ? {} : { comment }) }
  try {
    store.update('app_versions', bundle, patch, { key: c.get('key') })
  } catch (error) {
    if (!(error instanceof PgError)) throw error
    throw refuse('cannot_update_version_metadata', 'Cannot update version metadata', {
      supabaseError: error.body(),
    })
  }
  return c.json({ status: 'ok' })
})
