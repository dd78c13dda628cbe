/** A client for one Capgo server and one key. */
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { apps } from './apps.ts'
import { bundleDeletes } from './bundle-deletes.ts'
import { bundles } from './bundles.ts'
import { channelCreation } from './channel-creation.ts'
import { channelDeletes } from './channel-deletes.ts'
import { channels } from './channels.ts'
import type { Connection } from './connection.ts'
import { devices } from './devices.ts'
import { permissionMissing, refusal } from './errors.ts'
import { isLocal } from './hosts.ts'
import { createHttp, type HttpOptions } from './http.ts'
import { manifests } from './manifests.ts'
import { overrides } from './overrides.ts'
import type { Permission } from './permissions.ts'
import { parseResponse } from './response.ts'
import { createRest } from './rest.ts'
import { rollouts } from './rollouts.ts'
import { FilesConfig, PrivateConfig } from './schema.ts'
import { storedObjects } from './stored-objects.ts'
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

/** Of a publish: requests to the database at once. */
const DATABASE_CONCURRENCY = 3

export type Capgo = ReturnType<typeof createCapgo>

/** A client for one Capgo server and one key. Does nothing until it is called. */
export function createCapgo(options: CapgoOptions) {
  const http = createHttp(options)
  const key = { capgkey: options.token }
  let database: ReturnType<Connection['database']> | undefined
  let filesConfig: Promise<FilesConfig> | undefined
  const results = new Map<string, Promise<boolean>>()
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
    options.warm?.(found.url, DATABASE_CONCURRENCY)
    return {
      url: `${found.url.replace(/\/+$/, '')}/rest/v1`,
      headers: { apikey: found.key, ...key },
    }
  }

  async function readPrivateConfig() {
    const request = {
      purpose: "read the server's configuration",
      method: 'GET',
      url: `${options.api}/private/config`,
      retry: 'repeat',
    } as const
    const response = await http.send(request)
    if (response.status !== 200)
      throw new ActionError(
        'not_capgo',
        `${options.api} does not respond like a Capgo server: GET /private/config returned ${response.status}.`,
        {
          hint: 'Check api-url. On Supabase functions it ends in /functions/v1. Or set database-url and database-key.',
        },
      )
    const config = parseResponse(PrivateConfig, response, request.purpose)
    const url = new URL(config.supaHost)
    if (url.protocol !== 'https:' && !isLocal(url.hostname))
      throw new ActionError(
        'database_not_https',
        `The server reports the database address ${config.supaHost}, which is not https.`,
        {
          hint: 'Set database-url and database-key to an https address that the runner can reach.',
        },
      )
    return { url: config.supaHost, key: config.supaKey }
  }

  const rest = createRest(connection)
  const { requireKey, ...app } = apps(rest)
  return {
    ...app,
    requireKey,
    ...bundles(rest),
    ...bundleDeletes(connection, rest),
    ...channels(rest),
    ...channelCreation(connection, rest),
    ...channelDeletes(rest),
    ...overrides(connection, rest),
    ...devices(rest),
    ...rollouts(rest),
    ...updates(connection),
    ...manifests(connection, rest),
    ...uploads(connection, rest),
    ...storedObjects(connection),

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
      purpose: string,
      permission: Permission,
      scope: { readonly appId: string; readonly channelId: number | null },
    ): Promise<void> {
      if (await hasPermission(permission, scope.appId, scope.channelId)) return
      await requireKey(scope.appId)
      throw permissionMissing(purpose, permission)
    },

    /** Throws `on_premise_app` when the organisation's plan allows no more storage; asked once. */
    async requireStorage(orgId: string, appId: string): Promise<void> {
      const allowed = await askFunction('is_allowed_action_org_action', {
        orgid: orgId,
        actions: ['storage'],
        appid: appId,
      })
      if (!allowed)
        throw refusal('upload', {
          status: 429,
          headers: {},
          text: '',
          json: undefined,
          code: 'on_premise_app',
        })
    },
  }

  async function askFilesConfig(): Promise<FilesConfig> {
    const request = {
      purpose: "read the files service's configuration",
      method: 'GET',
      url: `${options.files}/files/config`,
      retry: 'repeat',
    } as const
    const response = await http.send(request)
    if (response.status !== 200)
      throw new ActionError(
        'no_files_service',
        `${options.files} does not respond like Capgo's files service: GET /files/config returned ${response.status}.`,
        { hint: 'Set the input "files-url" to the base URL of the files service.' },
      )
    return parseResponse(FilesConfig, response, request.purpose)
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

  /** Functions of the database that return yes or no. What they say does not change while we run: each is asked once. */
  function askFunction(name: string, parameters: Record<string, unknown>): Promise<boolean> {
    const question = `${name} ${JSON.stringify(parameters)}`
    const result =
      results.get(question) ??
      rest.rpc({ purpose: `ask Capgo (${name})`, name, parameters, result: z.boolean() })
    results.set(question, result)
    return result
  }
}
