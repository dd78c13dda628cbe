import type { Connection } from './connection.ts'
import { refusal } from './errors.ts'
import { ConnectionError } from './http.ts'

/** Fields of `POST /channel` that are about two bundles, spelt as that route takes them. */
export interface RolloutFields {
  /** Name of the bundle for everybody. */
  readonly version?: string
  /** Id of the bundle that is rolled out. */
  readonly rolloutVersion?: number
  /** Basis points, 0 to 10000. */
  readonly rolloutPercentageBps?: number
  readonly rolloutEnabled?: true
  readonly rolloutPaused?: boolean
  /** Ends the rollout; everybody gets the bundle for everybody. */
  readonly rollback?: true
  /** Ends the rollout; its bundle becomes the one for everybody. */
  readonly promoteToStable?: true
}

const SETTINGS = { permission: 'channel.update_settings', role: 'app_admin' } as const

export function rollouts({ http, api, key }: Connection) {
  return {
    /**
     * Changes the rollout of a channel that exists, all fields in one transaction. An answer that was lost, or that
     * says that the server failed (which is also how it refuses an unknown bundle), proves nothing: the caller reads
     * the channel and sees.
     */
    async changeRollout(
      appId: string,
      channel: { readonly name: string },
      fields: RolloutFields,
    ): Promise<void> {
      const call = {
        what: `change the rollout of channel ${channel.name}`,
        method: 'POST',
        url: `${api}/channel`,
        headers: key,
        json: { app_id: appId, channel: channel.name, ...fields },
        retry: 'once',
      } as const
      try {
        const answer = await http.send(call)
        if (answer.status === 200 || answer.status >= 500) return
        // Not running any more: finished by the try whose answer was lost, or by somebody else.
        if (answer.code === 'missing_rollout_version') return
        throw refusal(call, answer, SETTINGS)
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error
      }
    },
  }
}
