import { Hono } from 'hono'
import { requireKey, requireUserOrKey } from './auth.ts'
import { allowed, type C, type Env, isAppId, jsonBody } from './context.ts'
import { ApiError, noRows, refuse } from './errors.ts'
import { policy } from './policies.ts'

export const apps = new Hono<Env>()

const noAccess = (appId: string) =>
  new ApiError(401, 'cannot_access_app', "You can't access this app", { app_id: appId })

apps.get('/', requireKey, c => {
  const { store } = c.get('capgo')
  const visible = policy(store, c.get('key'), 'apps', 'select')
  return c.json(store.list('apps').filter(app => visible(app as never)))
})

apps.post('/', requireUserOrKey, async c => {
  const { store } = c.get('capgo')
  const body = await jsonBody(c)
  const { app_id, name, owner_org } = body
  if (!app_id) throw refuse('missing_app_id', 'Missing app_id', { body })
  if (!isAppId(app_id)) throw refuse('invalid_app_id', 'App ID must be a reverse domain string', { app_id })
  if (!name) throw refuse('missing_name', 'Missing name', { body })
  const bindings = store.list('role_bindings', { key_rbac_id: c.get('key').rbac_id, org: String(owner_org) })
  if (!bindings.some(binding => binding.role === 'org_admin' || binding.role === 'org_super_admin'))
    throw refuse('cannot_access_organization', "You can't access this organization", { owner_org })
  if (store.find('apps', { app_id })) throw refuse('cannot_create_app', 'Cannot create app', { app_id })
  const app = store.insert('apps', {
    app_id,
    name,
    owner_org,
    icon_url: body.icon ?? '',
    user_id: c.get('key').user_id,
    default_upload_channel: 'dev',
  })
  // This answer alone comes from a driver that gives big integers as text.
  const big = [
    'build_timeout_seconds',
    'channel_device_count',
    'manifest_bundle_count',
    'retention',
    'rollout_channel_count',
  ] as const
  return c.json({
    ...app,
    ...Object.fromEntries(big.map(column => [column, String(app[column as keyof typeof app])])),
  })
})

apps.get('/:id', requireKey, c => {
  const app = appFor(c, 'app.read')
  if (!policy(c.get('capgo').store, c.get('key'), 'apps', 'select')(app as never))
    throw new ApiError(404, 'cannot_find_app', 'Cannot find app', { supabaseError: noRows })
  return c.json(app)
})

const settings = [
  'name',
  'retention',
  'expose_metadata',
  'allow_device_custom_id',
  'need_onboarding',
  'existing_app',
  'block_provider_infra_requests',
  'ios_store_url',
  'android_store_url',
] as const

apps.put('/:id', requireKey, async c => {
  const { store } = c.get('capgo')
  const body = await jsonBody(c)
  const app = appFor(c, 'app.update_settings')
  if (body.retention >= 63_113_904)
    throw refuse('retention_to_big', 'Retention cannot be bigger than 63113903 (2 years)', {
      retention: body.retention,
    })
  if (body.retention < 0)
    throw refuse('retention_to_small', 'Retention cannot be smaller than 0', { retention: body.retention })
  const patch = Object.fromEntries(
    settings.filter(name => body[name] !== undefined).map(name => [name, body[name]]),
  )
  if (Object.keys(patch).length === 0) {
    const supabaseError = { code: 'PGRST102', message: 'Empty or invalid json', details: null, hint: null }
    throw refuse('cannot_update_app', 'Cannot update app', { supabaseError })
  }
  return c.json(store.update('apps', app, patch))
})

apps.delete('/:id', requireKey, c => {
  const app = appFor(c, 'app.delete')
  c.get('capgo').store.transaction(() => c.get('capgo').store.remove('apps', app.app_id))
  return c.json({ status: 'ok' })
})

function appFor(c: C, permission: string) {
  const appId = c.req.param('id') ?? ''
  const app = allowed(c, permission, appId) ? c.get('capgo').store.find('apps', { app_id: appId }) : undefined
  if (!app) throw noAccess(appId)
  return app
}
