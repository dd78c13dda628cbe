/** Phones of the app's users after a run: one for each platform and native version, and those that have an override. */
import type { StoredApp } from '../../local/capgo/index.ts'
import { createDecryptor } from '../../local/decrypt.ts'
import { Device } from '../../local/device.ts'
import { DeviceError } from '../../local/device-files.ts'
import type { App, Native } from '../trial.ts'

export interface DeviceReport {
  readonly platform: 'android' | 'ios'
  readonly native: string
  /** That it follows; null = nothing names one. */
  readonly channel: string | null
  /** Name of the bundle that Capgo offers. */
  readonly offered: string | null
  /** Name of the bundle that it downloaded, verified and unpacked. */
  readonly installed: string | null
  /** Why it installed nothing. */
  readonly refusal: string | null
}

/** So that a file of testers can list them: phones of a try always have these ids. */
const IDS = {
  android: '00000000-0000-4000-8000-0000000000a0',
  ios: '00000000-0000-4000-8000-0000000000b0',
} as const
/** More devices with an override are not asked. */
const MOST = 20

interface Phone extends Pick<Native, 'platform' | 'version'> {
  readonly id: string
}

export async function askDevices(url: string, app: App, stored: StoredApp): Promise<DeviceReport[]> {
  const own = app.natives.map(({ platform, version }) => ({ platform, version, id: IDS[platform] }))
  const reports: DeviceReport[] = []
  for (const phone of [...own, ...overridden(app, stored)]) reports.push(await ask(url, app, stored, phone))
  return reports
}

/** As Capgo has seen them; of the first platform where it has not. */
function overridden(app: App, { overrides, devices }: StoredApp): Phone[] {
  const own = new Set<string>(Object.values(IDS))
  const [first] = app.natives as [Native]
  return overrides
    .filter(({ device }) => !own.has(device))
    .slice(0, MOST)
    .map(({ device: id }) => {
      const seen = devices.find(({ device }) => device === id)
      const platform =
        seen?.platform === 'ios' || seen?.platform === 'android' ? seen.platform : first.platform
      const native = app.natives.find(each => each.platform === platform) ?? first
      return { id, platform, version: native.version }
    })
}

async function ask(url: string, app: App, stored: StoredApp, phone: Phone): Promise<DeviceReport> {
  const { id, platform, version } = phone
  const device = new Device({
    capgoUrl: url,
    appId: app.id,
    deviceId: id,
    platform,
    versionBuild: version,
    ...(app.pluginVersion === null ? {} : { pluginVersion: app.pluginVersion }),
    ...(app.defaultChannel === null ? {} : { defaultChannel: app.defaultChannel }),
    ...(app.publicKey === null ? {} : { decrypt: createDecryptor(app.publicKey) }),
  })
  const report = {
    platform,
    native: version,
    channel: channelOf(app, stored, phone),
    offered: null,
    installed: null,
  }
  if (app.silence !== null) return { ...report, refusal: app.silence }
  let offered: string | null = null
  try {
    const answer = await device.checkForUpdate()
    if (answer.kind !== 'update') return { ...report, refusal: `${answer.error}: ${answer.message}` }
    offered = answer.version
    const { version: installed } = await device.download(answer)
    return { ...report, offered, installed, refusal: null }
  } catch (error) {
    const refusal =
      error instanceof DeviceError ? error.message : `download_fail: ${(error as Error).message}`
    return { ...report, offered, refusal }
  }
}

function channelOf({ defaultChannel }: App, { overrides, channels }: StoredApp, { id, platform }: Phone) {
  const override = overrides.find(({ device }) => device === id)?.channel
  const open = channels.filter(channel => channel.public && channel[platform]).map(({ name }) => name)
  return override ?? defaultChannel ?? open.sort()[0] ?? null
}
