/** The results of runs that list or answer: channels, devices, requests of testers. */
import type { ListedDevice } from '../plan/device-list.ts'
import type { ChannelStatus } from '../plan/status.ts'
import type { Tester } from '../plan/tester-list.ts'
import type { TestersReport } from './testers.ts'

/** The channels with their bundles; nothing was changed. */
export interface StatusResult {
  readonly kind: 'status'
  readonly outcome: 'read'
  readonly reason: string
  readonly appId: string
  readonly channels: readonly ChannelStatus[]
  /** Devices that Capgo knows; null when they could not be counted. */
  readonly devices: number | null
  readonly testers: null
  readonly warnings: readonly string[]
}

/** The devices that were seen lately; nothing was changed. */
export interface DevicesResult {
  readonly kind: 'devices'
  readonly outcome: 'read'
  readonly reason: string
  readonly appId: string
  readonly devices: readonly ListedDevice[]
  /** Those of the testers file that did not report; none where a filter or a limit may have left them out. */
  readonly unseen: readonly Pick<Tester, 'device' | 'name' | 'github'>[]
  /** Whole ids are shown. */
  readonly showIds: boolean
  readonly testers: null
  readonly warnings: readonly string[]
}

/** Requests to join or leave the testers were answered. */
export interface EnrolmentResult {
  readonly kind: 'enrolment'
  /** `proposed`: a pull request waits for a lead. `enrolled`: the testers file is as a request wants it, and the device too. */
  readonly outcome: 'proposed' | 'enrolled' | 'refused' | 'unchanged' | 'planned'
  readonly reason: string
  readonly commentUrl: string | null
  readonly testers: TestersReport | null
  readonly warnings: readonly string[]
}
