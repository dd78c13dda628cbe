/** Rollouts: a second bundle of a channel, for some of its devices. */
import { ConnectionError } from './exchange.ts'
import type { Rest } from './rest.ts'

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

export function rollouts(rest: Rest) {
  return {
    /**
     * Changes the rollout of a channel that exists, all fields in one transaction. A response that was lost, or that
     * says that the server failed (which is also how it refuses an unknown bundle), proves nothing: the caller reads
     * the channel and sees.
     */
    async changeRollout(
      appId: string,
      channel: { readonly name: string },
      fields: RolloutFields,
    ): Promise<void> {
      try {
        await rest.api({
          purpose: `change the rollout of channel ${channel.name}`,
          method: 'POST',
          path: '/channel',
          json: { app_id: appId, channel: channel.name, ...fields },
          retry: 'once',
          needs: 'channel.update_settings',
          // Not running any more: finished by the attempt whose response was lost, or by somebody else.
          expects: ({ status, code }) => status >= 500 || code === 'missing_rollout_version',
        })
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error
      }
    },
  }
}
