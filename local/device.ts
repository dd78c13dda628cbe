import semver from 'semver'
import {
  checkPath,
  DeviceError,
  decompress,
  fetchWithResume,
  hexCrc32,
  hoist,
  sha256,
  unzip,
} from './device-files.ts'

/** Path inside the bundle to content. */
type BundleFiles = ReadonlyMap<string, Buffer>

export interface DeviceOptions {
  /** Where the plugin's endpoints are; the Capgo's base URL. */
  readonly capgoUrl: string
  readonly appId: string
  readonly deviceId?: string
  readonly platform?: 'android' | 'ios' | 'electron'
  /** The app's native version, as in the stores. */
  readonly versionBuild?: string
  readonly pluginVersion?: string
  readonly defaultChannel?: string
  readonly isEmulator?: boolean
  readonly isProd?: boolean
  /** The web code inside the installed app; a delta download reuses its files. */
  readonly builtin?: BundleFiles
  /** What the app's public key does; without one an encrypted bundle is refused, with one an unencrypted bundle. */
  readonly decrypt?: Decryptor
}

export interface Decryptor {
  content(bytes: Buffer, sessionKey: string): Buffer
  /** The signed checksum to the plain one, lower-case hex. */
  checksum(signed: string, sessionKey: string): string
}

export interface ManifestEntry {
  readonly file_name: string
  readonly file_hash: string
  readonly download_url: string
}

/** What `/updates` answered: a bundle to take, or why there is none. */
export type UpdateAnswer =
  | {
      readonly kind: 'update'
      readonly version: string
      readonly url: string
      readonly checksum: string
      readonly sessionKey: string
      readonly manifest: readonly ManifestEntry[] | null
    }
  | { readonly kind: 'up_to_date' | 'blocked' | 'failed'; readonly error: string; readonly message: string }

export type Update = Extract<UpdateAnswer, { kind: 'update' }>

export interface InstalledBundle {
  readonly version: string
  readonly files: BundleFiles
  /** SHA-256 of the downloaded zip, lower-case hex; null for a delta download. */
  readonly checksum: string | null
  /** What travelled, in bytes. */
  readonly downloaded: number
}

/** Of the plugin, where nothing else is asked for. */
const PLUGIN = '8.51.23'

/** First plugin of each major that compares SHA-256 where a bundle is not encrypted; before it was CRC32. */
const SHA256_SINCE = ['5.10.0', '6.25.0', '7.0.35', '8.0.0']

/**
 * An app with Capgo's plugin on a phone: asks for updates, downloads, verifies and installs by the plugin's
 * rules. It remembers what it has installed and which bundles failed.
 */
export class Device {
  readonly id: string
  /** `builtin` until a bundle was installed. */
  installed = 'builtin'
  readonly #options: DeviceOptions
  readonly #bundles = new Map<string, InstalledBundle>()
  readonly #failed = new Set<string>()

  constructor(options: DeviceOptions) {
    this.#options = options
    this.id = options.deviceId ?? crypto.randomUUID()
  }

  /** Throws a `DeviceError` for an answer that is not of Capgo's form, HTTP errors included. */
  async checkForUpdate(): Promise<UpdateAnswer> {
    const response = await this.#post('/updates', {})
    const answer = (await response.json()) as Record<string, unknown>
    const text = (key: string) => (typeof answer[key] === 'string' ? (answer[key] as string) : '')
    if (!response.ok) throw new DeviceError('update_failed', `HTTP ${response.status} ${text('error')}`)
    if ('error' in answer || 'kind' in answer) {
      const kind = answer.kind === 'up_to_date' || answer.kind === 'blocked' ? answer.kind : 'failed'
      return { kind, error: text('error'), message: text('message') }
    }
    if (text('version') === '' || typeof answer.url !== 'string')
      throw new DeviceError('update_failed', `No version or url in ${JSON.stringify(answer)}`)
    return {
      kind: 'update',
      version: text('version'),
      url: text('url'),
      checksum: text('checksum'),
      sessionKey: text('session_key'),
      manifest: Array.isArray(answer.manifest) ? (answer.manifest as ManifestEntry[]) : null,
    }
  }

  /** Downloads and verifies; the bundle does not run yet. Throws a `DeviceError` for what the plugin refuses. */
  async download(update: Update): Promise<InstalledBundle> {
    if (this.#failed.has(update.version))
      throw new DeviceError('update_fail', `${update.version} failed before`)
    const stored = this.#bundles.get(update.version)
    if (stored !== undefined) return stored
    try {
      this.#requireSessionKey(update)
      const bundle =
        update.manifest !== null && update.manifest.length > 0
          ? await this.#downloadManifest(update, update.manifest)
          : await this.#downloadZip(update)
      if (!bundle.files.has('index.html'))
        throw new DeviceError('update_fail', 'The bundle has no index.html')
      this.#bundles.set(update.version, bundle)
      await this.#report('download_complete', update.version)
      return bundle
    } catch (error) {
      this.#failed.add(update.version)
      await this.#report(error instanceof DeviceError ? error.code : 'download_fail', update.version)
      throw error
    }
  }

  /** The whole round. Null when there is nothing to take. */
  async update(): Promise<InstalledBundle | null> {
    const answer = await this.checkForUpdate()
    if (answer.kind !== 'update') return null
    const bundle = await this.download(answer)
    this.installed = bundle.version
    await this.#report('set', bundle.version)
    return bundle
  }

  /** Whether the app's plugin has a rule that came with this version. */
  #knows(since: string): boolean {
    return semver.gte(this.#options.pluginVersion ?? PLUGIN, since)
  }

  /** iOS always wanted one where the app has a public key. */
  #requireSessionKey({ sessionKey }: Update): void {
    const { decrypt, platform } = this.#options
    if (decrypt !== undefined && sessionKey === '' && (platform === 'ios' || this.#knows('8.51.23')))
      throw new DeviceError(
        'session_key_required',
        'The app has a public key, and the bundle is not encrypted',
      )
  }

  async #downloadZip(update: Update): Promise<InstalledBundle> {
    if (update.checksum === '' && this.#knows('8.51.23'))
      throw new DeviceError('checksum_required', 'The zip was announced without a checksum')
    const bytes = await fetchWithResume(update.url)
    const { zip, expected } = this.#decrypt(update, bytes)
    const own = update.sessionKey !== '' || this.#comparesSha256() ? sha256(zip) : hexCrc32(zip)
    // The plugin compares the strings: upper case is a mismatch.
    if (own !== expected)
      throw new DeviceError('checksum_fail', `The zip is ${own}, announced was ${expected || 'none'}`)
    const files = hoist(await unzip(zip), this.#options.platform ?? 'android')
    return { version: update.version, files, checksum: sha256(zip), downloaded: bytes.length }
  }

  #comparesSha256(): boolean {
    const version = this.#options.pluginVersion ?? PLUGIN
    return SHA256_SINCE.some(since => semver.satisfies(version, `^${since}`))
  }

  #decrypt(update: Update, bytes: Buffer): { zip: Buffer; expected: string } {
    if (update.sessionKey === '') return { zip: bytes, expected: update.checksum }
    const { decrypt } = this.#options
    if (decrypt === undefined) throw new DeviceError('decrypt_fail', 'The app has no public key')
    return {
      zip: decrypt.content(bytes, update.sessionKey),
      expected: decrypt.checksum(update.checksum, update.sessionKey),
    }
  }

  async #downloadManifest(update: Update, manifest: readonly ManifestEntry[]): Promise<InstalledBundle> {
    const known = new Map<string, Buffer>()
    for (const bundle of [{ files: this.#options.builtin ?? new Map() }, ...this.#bundles.values()])
      for (const content of bundle.files.values()) known.set(sha256(content), content)
    const { decrypt } = this.#options
    if (update.sessionKey !== '' && decrypt === undefined)
      throw new DeviceError('decrypt_fail', 'The app has no public key')

    const targets = manifest.map(entry => this.#targetOf(entry))
    const twice = targets.find((name, index) => targets.indexOf(name) !== index)
    if (twice !== undefined) throw new DeviceError('manifest_path_fail', `${twice} is there twice`)

    const files = new Map<string, Buffer>()
    let downloaded = 0
    for (const [index, entry] of manifest.entries()) {
      const compressed = entry.file_name.endsWith('.br')
      const name = targets[index]!
      const encrypted = update.sessionKey !== '' && decrypt !== undefined
      const hash = (
        encrypted ? decrypt.checksum(entry.file_hash, update.sessionKey) : entry.file_hash
      ).toLowerCase()
      const cached = known.get(hash)
      if (cached !== undefined) {
        files.set(name, cached)
        continue
      }
      const bytes = await fetchWithResume(entry.download_url)
      downloaded += bytes.length
      const plain = encrypted ? decrypt.content(bytes, update.sessionKey) : bytes
      const content = compressed ? await decompress(plain).catch(() => null) : plain
      if (content === null || sha256(content) !== hash)
        throw new DeviceError('download_manifest_checksum_fail', `${name} is not ${hash}`)
      files.set(name, content)
      known.set(hash, content)
    }
    return { version: update.version, files, checksum: null, downloaded }
  }

  /** Where a file of a delta goes: one `.br` is taken off its name. All are looked at before anything is downloaded. */
  #targetOf({ file_name, file_hash }: ManifestEntry): string {
    const target = file_name.replace(/\.br$/, '')
    if (target.split('/').includes('..') && this.#knows('8.51.22'))
      throw new DeviceError('manifest_path_fail', `${target} has a ..`)
    const name = checkPath(target, 'manifest_path_fail')
    if (!file_hash) throw new DeviceError('manifest_path_fail', `${name} has no hash`)
    return name
  }

  async #report(action: string, version: string): Promise<void> {
    const response = await this.#post('/stats', { action, version_name: version })
    await response.arrayBuffer()
  }

  #post(path: string, more: Readonly<Record<string, unknown>>): Promise<Response> {
    const { capgoUrl, appId, platform, versionBuild, pluginVersion, defaultChannel } = this.#options
    return fetch(`${capgoUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        app_id: appId,
        device_id: this.id,
        platform: platform ?? 'android',
        version_build: versionBuild ?? '1.0.0',
        version_code: '1',
        version_name: this.installed,
        version_os: '16',
        plugin_version: pluginVersion ?? PLUGIN,
        is_emulator: this.#options.isEmulator ?? false,
        is_prod: this.#options.isProd ?? true,
        // A null here would be refused.
        ...(defaultChannel === undefined ? {} : { defaultChannel }),
        ...more,
      }),
    })
  }
}
