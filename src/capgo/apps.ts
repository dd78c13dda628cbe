/** An app, and what is read along with it. */
import * as z from 'zod/mini'
import { ActionError, CancelledError } from '../errors.ts'
import { list, PAGE, query, quote } from './postgrest.ts'
import { type HttpResponse, parseResponse } from './response.ts'
import type { Rest } from './rest.ts'
import {
  APP_COLUMNS,
  App,
  BUNDLE_COLUMNS,
  BundleRow,
  ChannelRow,
  EMBEDDED_CHANNELS,
  FILE_COLUMNS,
  StoredFile,
} from './schema.ts'

/** Capgo takes 10,000 delta files a bundle. */
const MAX_PAGES = 10
/** Newest bundles with delta files that are read. */
const NEWEST = 3

const Deletion = z.object({ deleted_at: z.string() })

/** With pages of its delta files. */
const BundleWithFiles = z.catchall(BundleRow, z.array(StoredFile))

interface AppQuery<T> {
  readonly row: z.ZodMiniType<T>
  /** Columns that are read along, as PostgREST writes them. */
  readonly embedded: readonly string[]
  readonly filters: Readonly<Record<string, string>>
  readonly purpose: string
}

/** An app, its channel of a name, and what else a publish to that channel needs to know of the app. */
export interface AppAndChannel {
  readonly app: App
  /** Null when there is none that the key can see. */
  readonly channel: ChannelRow | null
  /** Names. */
  readonly publicChannels: readonly string[]
  /** The newest bundles that have delta files. */
  readonly newest: readonly BundleRow[]
  /** When a bundle was deleted last; null = never. */
  readonly deletedAt: string | null
}

/** The app and its channels and bundles: what the database knows of one app is read in one request. */
export function apps(rest: Rest) {
  /** The app, and with it the proof that the key is good: lists of the database are empty for a wrong key. */
  async function readApp(appId: string): Promise<App> {
    const purpose = `read app ${appId}`
    const response = await rest.api({
      purpose,
      method: 'GET',
      path: `/app/${encodeURIComponent(appId)}`,
      expects: isUnknownApp,
    })
    if (response.status === 200) return parseResponse(App, response, purpose)
    throw (await isLockedOut(appId)) ? twoFactorRequired(appId) : appNotFound(appId)
  }

  /** The API hides the app from people whom the organisation locks out; this detects that. False when unknown. */
  async function isLockedOut(appId: string): Promise<boolean> {
    try {
      return await rest.rpc({
        purpose: 'check whether two-factor authentication is required',
        name: 'reject_access_due_to_2fa_for_app',
        parameters: { app_id: appId },
        result: z.boolean(),
      })
    } catch (error) {
      if (error instanceof CancelledError) throw error
      return false
    }
  }

  /**
   * Throws where the key is refused by now: the database answers a key that is not good with nothing, and nothing is
   * no proof that something is gone.
   */
  async function requireKey(appId: string): Promise<void> {
    try {
      await readApp(appId)
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== 'app_not_found') throw error
    }
  }

  /** The app's row with what is embedded in it. Throws what `readApp` throws where the key sees no such row. */
  async function readRow<T>(appId: string, { row, embedded, filters, purpose }: AppQuery<T>): Promise<T> {
    const parameters = { app_id: `eq.${appId}`, select: [APP_COLUMNS, ...embedded].join(','), ...filters }
    const [found] = await rest.select({ purpose, row, path: `apps?${query(parameters)}` })
    if (found !== undefined) return found
    // The database shows nothing to a key that is not good; the API says why it is not.
    await readApp(appId)
    throw new ActionError(
      'app_not_in_database',
      `The key cannot read app ${appId} in Capgo's database, although the API shows it.`,
      {
        hint: 'If the app was added a minute ago, re-run the job. If the organisation requires a new password, the owner of the key must set it. Check that database-url is the database of api-url.',
      },
    )
  }

  return {
    readApp,
    requireKey,

    async readAppAndChannel(appId: string, name: string): Promise<AppAndChannel> {
      const { channels, newest, deleted, ...app } = await readRow(appId, {
        purpose: `read app ${appId} and channel ${name}`,
        row: z.extend(App, {
          channels: z.array(ChannelRow),
          newest: z.array(BundleRow),
          deleted: z.array(Deletion),
        }),
        embedded: [
          EMBEDDED_CHANNELS,
          `newest:app_versions!app_versions_app_id_fkey(${BUNDLE_COLUMNS})`,
          'deleted:app_versions!app_versions_app_id_fkey(deleted_at)',
        ],
        filters: {
          'channels.or': `(name.eq.${name},public.is.true)`,
          'newest.manifest_count': 'gt.0',
          'newest.deleted': 'is.false',
          'newest.order': 'id.desc',
          'newest.limit': String(NEWEST),
          'deleted.deleted_at': 'not.is.null',
          'deleted.order': 'deleted_at.desc',
          'deleted.limit': '1',
        },
      })
      return {
        app,
        channel: channels.find(row => row.name === name) ?? null,
        publicChannels: channels.filter(row => row.public).map(row => row.name),
        newest,
        deletedAt: deleted[0]?.deleted_at ?? null,
      }
    },

    /**
     * The app's channels of some names; its bundles, deleted ones too, that have one of the names or the content;
     * and the delta files of the bundle `filesOf`, of which there are `count` (`files` may have fewer).
     */
    async readChannelsAndBundles(
      appId: string,
      wanted: {
        readonly channels: readonly string[]
        readonly names: readonly string[]
        readonly checksum: string
        readonly filesOf: { readonly id: number; readonly count: number } | null
      },
    ): Promise<{ channels: ChannelRow[]; bundles: BundleRow[]; files: StoredFile[] }> {
      const { names, checksum, filesOf } = wanted
      const pageCount = filesOf === null ? 0 : Math.min(MAX_PAGES, Math.ceil(filesOf.count / PAGE))
      const pages = Array.from({ length: pageCount }, (_, page) => `files${page}`)
      const conditions = [
        `name.in.(${names.map(quote).join(',')})`,
        `checksum.eq.${checksum}`,
        ...(filesOf === null ? [] : [`id.eq.${filesOf.id}`]),
      ]
      const files = pages.map(page => `${page}:manifest!manifest_app_version_id_fkey(${FILE_COLUMNS})`)
      const { channels, bundles } = await readRow(appId, {
        purpose: 'read the channel and the bundles with the same name or content',
        row: z.object({ channels: z.array(ChannelRow), bundles: z.array(BundleWithFiles) }),
        embedded: [
          EMBEDDED_CHANNELS,
          `bundles:app_versions!app_versions_app_id_fkey(${[BUNDLE_COLUMNS, ...files].join(',')})`,
        ],
        filters: {
          'channels.name': list(wanted.channels),
          'bundles.or': `(${conditions.join(',')})`,
          'bundles.order': 'id.desc',
          'bundles.limit': '100',
          ...Object.fromEntries(
            pages.flatMap((page, index) => [
              [`bundles.${page}.app_version_id`, `eq.${filesOf?.id}`],
              [`bundles.${page}.order`, 'id.asc'],
              [`bundles.${page}.limit`, String(PAGE)],
              [`bundles.${page}.offset`, String(index * PAGE)],
            ]),
          ),
        },
      })
      const ofIt = bundles.find(bundle => bundle.id === filesOf?.id)
      return {
        channels,
        bundles: bundles
          .filter(bundle => bundle.checksum === checksum || names.includes(bundle.name))
          .map(bundle => BundleRow.parse(bundle)),
        files: ofIt === undefined ? [] : unbroken(pages.map(page => ofIt[page] ?? [])),
      }
    },
  }
}

function isUnknownApp({ status, code }: HttpResponse): boolean {
  return code === 'cannot_access_app' || code === 'cannot_find_app' || status === 404
}

function appNotFound(appId: string): ActionError {
  return new ActionError(
    'app_not_found',
    `App ${appId} does not exist in Capgo, or this key has no access to it.`,
    {
      hint: 'Check the app id (Capacitor config or input "app-id"), and that the app was added to Capgo. The key must belong to its organisation and have the permission app.read.',
    },
  )
}

function twoFactorRequired(appId: string): ActionError {
  return new ActionError(
    'two_factor_required',
    `The organisation of app ${appId} requires two-factor authentication, which the owner of this key has not set up.`,
    {
      hint: 'The owner of the key sets it up in the Capgo console (account settings). Or use the key of another person who has it.',
    },
  )
}

/** A server that gives fewer rows at once leaves gaps: what stands before the first one. */
function unbroken(pages: readonly StoredFile[][]): StoredFile[] {
  const short = pages.findIndex(page => page.length < PAGE)
  return (short === -1 ? pages : pages.slice(0, short + 1)).flat()
}
