import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { apps } from './apps.ts'
import { bundles } from './bundles.ts'
import { channels } from './channels.ts'
import type { Connection } from './connection.ts'
import { devices } from './devices.ts'
import { permissionMissing, refusal } from './errors.ts'
import { isLocal } from './hosts.ts'
import { createHttp, type HttpOptions } from './http.ts'
import { manifests } from './manifests.ts'
import { parseAnswer } from './postgrest.ts'
import { rollouts } from './rollouts.ts'
import { FilesConfig, PrivateConfig } from './schema.ts'
import { updates } from './updates.ts'
import { uploads } from './upload.ts'

export interface CapgoOptions extends HttpOptions {
  /** The API key, sent as the one header `capgkey`. */
  readonly token: string
  /** Base URLs without a trailing slash. */
  readonly api: string
  readonly files: string
  /** Where devices ask for updates. */
  readonly plugin: string
  /** Null = ask `/private/config`. */
  readonly database: { readonly url: string; readonly key: string } | null
  /** Opens connections to the server of this URL, before they are needed. */
  readonly warm?: (url: string, count: number) => void
}

/** Of a publish: what is asked of the database side by side at most. */
const SIDE_BY_SIDE = 3

/** Permissions a publish may need and the smallest role that has each (Capgo's role table). */
const SMALLEST_ROLE = {
  'app.read': 'app_reader',
  'app.read_channels': 'app_reader',
  'app.upload_bundle': 'app_uploader',
  'channel.promote_bundle': 'app_uploader',
  'app.create_channel': 'app_developer',
  'app.manage_devices': 'app_developer',
  'channel.manage_forced_devices': 'app_developer',
  'channel.update_settings': 'app_admin',
  'bundle.delete': 'app_admin',
  'channel.delete': 'app_admin (or app_preview for its own channels)',
} as const
export type Permission = keyof typeof SMALLEST_ROLE

export type Capgo = ReturnType<typeof createCapgo>

/** A client for one Capgo server and one key. Does nothing until it is called. */
export function createCapgo(options: CapgoOptions) {
  const http = createHttp(options)
  const key = { capgkey: options.token }
  let database: ReturnType<Connection['database']> | undefined
  let filesConfig: Promise<FilesConfig> | undefined
  const told = new Map<string, Promise<boolean>>()
  const connection: Connection = {
    http,
    api: options.api,
    files: options.files,
    plugin: options.plugin,
    key,
    database: () => (database ??= discoverDatabase()),
  }

  async function discoverDatabase() {
    const found = options.database ?? (await readPrivateConfig())
    options.warm?.(found.url, SIDE_BY_SIDE)
    return {
      url: `${found.url.replace(/\/+$/, '')}/rest/v1`,
      headers: { apikey: found.key, ...key },
    }
  }

  async function readPrivateConfig() {
    const call = {
      what: "read the server's configuration",
      method: 'GET',
      url: `${options.api}/private/config`,
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200)
      throw new ActionError(
        'not_capgo',
        `${options.api} does not answer as a Capgo server: GET /private/config gave ${answer.status}.`,
        {
          hint: 'Check api-url; on Supabase functions it ends in /functions/v1. Or set database-url and database-key.',
        },
      )
    const config = parseAnswer(PrivateConfig, answer, call)
    const url = new URL(config.supaHost)
    if (url.protocol !== 'https:' && !isLocal(url.hostname))
      throw new ActionError(
        'database_not_https',
        `The server names ${config.supaHost} as its database, without https.`,
        {
          hint: 'Set database-url and database-key to the address that this runner can reach.',
        },
      )
    return { url: config.supaHost, key: config.supaKey }
  }

  const ofApps = apps(connection)
  return {
    ...ofApps,
    ...bundles(connection),
    ...channels(connection),
    ...devices(connection),
    ...rollouts(connection),
    ...updates(connection),
    ...manifests(connection),
    ...uploads(connection),

    /** The time of day by the server's clock: what is old is decided by it, since the runner's may be wrong. */
    now: http.now,

    /** Opens connections for so many uploads side by side. */
    expectUploads: (count: number): void => options.warm?.(options.files, count),

    /** Limits and abilities of the files service; asked once. */
    readFilesConfig: (): Promise<FilesConfig> => (filesConfig ??= askFilesConfig()),

    /** Whether the key has the permission on the app, or on the channel; asked once. */
    hasPermission,

    /** Throws `permission_missing` when the key lacks the permission on the app (or on the channel). */
    async requirePermission(
      what: string,
      permission: Permission,
      scope: { readonly appId: string; readonly channelId: number | null },
    ): Promise<void> {
      if (await hasPermission(permission, scope.appId, scope.channelId)) return
      await ofApps.requireKey(scope.appId)
      throw permissionMissing(what, { permission, role: SMALLEST_ROLE[permission] })
    },

    /** Throws `on_premise_app` when the organisation's plan allows no more storage; asked once. */
    async requireStorage(orgId: string, appId: string): Promise<void> {
      const allowed = await askFunction('is_allowed_action_org_action', {
        orgid: orgId,
        actions: ['storage'],
        appid: appId,
      })
      if (!allowed)
        throw refusal(
          { what: 'upload' },
          { status: 429, headers: {}, text: '', json: undefined, code: 'on_premise_app' },
        )
    },
  }

  async function askFilesConfig(): Promise<FilesConfig> {
    const call = {
      what: "read the files service's configuration",
      method: 'GET',
      url: `${options.files}/files/config`,
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200)
      throw new ActionError(
        'no_files_service',
        `${options.files} does not answer as Capgo's files service: GET /files/config gave ${answer.status}.`,
        { hint: 'Set the input "files-url" to the base URL of the files service.' },
      )
    return parseAnswer(FilesConfig, answer, call)
  }

  function hasPermission(
    permission: string,
    appId: string,
    channelId: number | null = null,
  ): Promise<boolean> {
    return askFunction('cli_check_permission', {
      apikey: options.token,
      permission_key: permission,
      org_id: null,
      app_id: appId,
      channel_id: channelId,
    })
  }

  /** Functions of the database that answer yes or no. What they tell does not change while we run: each is asked once. */
  function askFunction(name: string, argumentsOf: Record<string, unknown>): Promise<boolean> {
    const question = `${name} ${JSON.stringify(argumentsOf)}`
    const answer = told.get(question) ?? callFunction(name, argumentsOf)
    told.set(question, answer)
    return answer
  }

  async function callFunction(name: string, argumentsOf: Record<string, unknown>): Promise<boolean> {
    const { url, headers } = await connection.database()
    const call = {
      what: `ask Capgo (${name})`,
      method: 'POST',
      url: `${url}/rpc/${name}`,
      headers,
      json: argumentsOf,
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200) throw refusal(call, answer)
    return parseAnswer(z.boolean(), answer, call)
  }
}
