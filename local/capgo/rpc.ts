// The database functions that clients call (contract 2.6).
import { findKey } from './auth.ts'
import type { Body, C } from './context.ts'
import { PgError } from './errors.ts'
import { can, mayInOrg } from './permissions.ts'
import type { KeyRow, OrgRow } from './rows.ts'
import type { Store } from './store.ts'

interface Call {
  store: Store
  args: Body
  /** The key named in the arguments, else the one of the header `capgkey`. */
  key: KeyRow | undefined
}

const DAY = 86_400_000

const orgOf = ({ store, args }: Call): OrgRow | undefined =>
  store.find('orgs', { id: String(args.orgid ?? args.org_id ?? '') })

const orgOfApp = ({ store, args }: Call): OrgRow | undefined => {
  const app = store.find('apps', { app_id: String(args.app_id ?? args.appid ?? '') })
  return app && store.find('orgs', { id: app.owner_org })
}

/** Deleted and in-progress bundles count too. */
const bundleNamed = ({ store, args, key }: Call) => {
  const app_id = String(args.appid ?? '')
  if (!can(store, key, 'app.read_bundles', app_id)) return undefined
  return store.find('app_versions', { app_id, name: String(args.name_version ?? '') })
}

const functions: Record<string, (call: Call) => unknown> = {
  exist_app_versions: call => bundleNamed(call) !== undefined,
  get_app_versions: call => bundleNamed(call)?.id ?? null,
  exist_app_v2: ({ store, args }) => store.find('apps', { app_id: String(args.appid ?? '') }) !== undefined,
  get_user_id: ({ key }) => key?.user_id ?? null,
  request_actor_user_id: ({ key }) => key?.user_id ?? null,
  cli_check_permission: ({ store, args, key }) =>
    can(store, key, String(args.permission_key), args.app_id ?? null, args.channel_id ?? null),
  // Without a known key the answer is empty.
  reject_access_due_to_2fa_for_app: call => call.key !== undefined && orgOfApp(call)?.enforcing_2fa === true,
  reject_access_due_to_2fa_for_org: call => call.key !== undefined && orgOf(call)?.enforcing_2fa === true,
  check_org_members_2fa_enabled: call => {
    const org = orgOf(call)
    if (org === undefined || !mayInOrg(call.store, call.key, 'org.read', org.id))
      throw new PgError('P0001', 'NO_RIGHTS')
    return []
  },
  /** A row for each day; this server counts nothing. */
  get_app_metrics: ({ store, args, key }) => {
    const app_id = String(args.p_app_id)
    if (!can(store, key, 'app.read', app_id)) return []
    const [from, to] = [Date.parse(String(args.p_start_date)), Date.parse(String(args.p_end_date))]
    const days = Array.from({ length: Math.max(0, (to - from) / DAY + 1) }, (_, day) => from + day * DAY)
    const none = {
      mau: 0,
      storage: 0,
      bandwidth: 0,
      build_time_unit: 0,
      get: 0,
      fail: 0,
      install: 0,
      uninstall: 0,
    }
    return days.map(day => ({ app_id, date: new Date(day).toISOString().slice(0, 10), ...none }))
  },
  get_organization_cli_warnings: call => orgOf(call)?.cli_warnings ?? [],
  is_allowed_action_org_action: call => orgOf(call)?.plan_valid ?? false,
  is_trial_org: call => (orgOf(call)?.plan_valid ? 15 : 0),
  is_paying_org: call => orgOf(call)?.plan_valid ?? false,
  get_orgs_v7: ({ store, key }) => {
    if (!key) return []
    const bindings = store.list('role_bindings', { key_rbac_id: key.rbac_id })
    const apps = bindings.map(
      binding => binding.app_id && store.find('apps', { app_id: binding.app_id })?.owner_org,
    )
    const ids = new Set([...bindings.map(binding => binding.org), ...apps].filter(Boolean))
    const orgs = store.list('orgs').filter(org => ids.has(org.id))
    return orgs.map(org => ({
      gid: org.id,
      name: org.name,
      paying: org.plan_valid,
      can_use_more: org.plan_valid,
      '2fa_has_access': !org.enforcing_2fa,
    }))
  },
  get_channel_current_bundle_rbac: ({ store, args, key }) => {
    const channel = store.find('channels', {
      id: Number(args.p_channel_id),
      app_id: String(args.p_app_id),
    })
    if (!channel || !can(store, key, 'channel.read', channel.app_id, channel.id)) return []
    const bundle = channel.version === null ? undefined : store.find('app_versions', { id: channel.version })
    return [{ bundle_name: bundle?.name ?? 'builtin' }]
  },
}

const newer: typeof functions = {
  has_usage_credits_org: call => orgOf(call)?.plan_valid ?? false,
}

export function callFunction(c: C, name: string, args: Body, headerKey: KeyRow | undefined): unknown {
  const { store, profile } = c.get('capgo')
  const run = functions[name] ?? (profile === 'new' ? newer[name] : undefined)
  if (!run || !(Object.hasOwn(functions, name) || Object.hasOwn(newer, name)))
    throw new PgError('PGRST202', `Could not find the function public.${name} in the schema cache`)
  const key = typeof args.apikey === 'string' ? findKey(store, args.apikey) : headerKey
  return run({ store, args, key })
}
