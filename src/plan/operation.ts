/** The operation of a run: the event decides, or the input `operation`. */
import { ActionError } from '../errors.ts'
import type { PullRequest, Trigger } from '../event.ts'
import { type ChannelMapping, matchChannel, suggestMapping } from './channel.ts'
import type { DeviceFilter } from './device-list.ts'
import type { EnrolmentRules } from './enrolment.ts'
import { previewChannelName, whyNoPreview } from './preview.ts'
import type { RolloutChange } from './rollout.ts'

/** The subject of a run. */
export type Operation =
  | { readonly kind: 'publish'; readonly channelName: string; readonly why: string }
  | {
      readonly kind: 'preview'
      /** As it is now. */
      readonly pull: PullRequest
      /** The commit that is published: the head when the event happened. */
      readonly sha: string
      readonly channelName: string
      readonly why: string
    }
  /** The build of another run is to be published; its pull request is still to be found. */
  | { readonly kind: 'follow-run' }
  | {
      readonly kind: 'close-preview'
      readonly pull: PullRequest
      readonly channelName: string
      readonly why: string
      /** The event says that the preview ends; else there may be none. */
      readonly isEnding: boolean
    }
  | { readonly kind: 'skip'; readonly reason: string }
  | ExplicitOperation

/** An operation that the input `operation` asks for, on any event. Nothing is built for any of them. */
export type ExplicitOperation =
  /** Copies the bundle on channel `from` to channel `to`. */
  | { readonly kind: 'promote'; readonly from: string; readonly to: string; readonly force: boolean }
  /** `to` is a bundle's name or id; null = what the channel served before. */
  | {
      readonly kind: 'rollback'
      readonly channelName: string
      readonly to: string | null
      readonly force: boolean
    }
  | { readonly kind: 'rollout'; readonly channelName: string; readonly change: RolloutChange }
  | { readonly kind: 'status' }
  /** Ids are shown whole only where `showIds` says so. */
  | { readonly kind: 'devices'; readonly filter: DeviceFilter; readonly showIds: boolean }
  /** Requests of issues to join or leave the testers are answered. */
  | { readonly kind: 'enroll'; readonly rules: EnrolmentRules }
  /** Devices of testers are where the file says, and no preview is left whose pull request is closed. */
  | { readonly kind: 'sweep-previews' }
  /** The newest `keep` bundles stay, besides those that are needed. */
  | { readonly kind: 'delete-old-bundles'; readonly keep: number }

export interface OperationInputs {
  /** Null = the event decides. */
  readonly operation: ExplicitOperation | null
  readonly capgoToken: string
  readonly channel: string | null
  readonly channels: readonly ChannelMapping[]
  readonly previewChannel: string
  readonly previewLabel: string | null
  readonly previewDrafts: boolean
  readonly build: boolean
}

/**
 * The operation that the event asks for, by the table of events and by the pull request as it is now (`pull`; null = as the event
 * has it). Throws where a run of this kind would be unsafe or names no channel, and `event_unsupported`.
 */
export function decideOperation(
  trigger: Trigger,
  inputs: OperationInputs,
  pull: PullRequest | null = null,
): Operation {
  if (inputs.operation !== null) return inputs.operation
  const { event, rule, ref } = trigger
  switch (rule.work) {
    case 'refuse':
      throw new ActionError(
        'event_unsupported',
        `This action publishes nothing on "${event}": ${rule.why}.`,
        {
          hint: 'Remove this event from "on:" of the workflow, or exclude it for this step with "if:". An "operation" other than auto works on every event.',
        },
      )
    case 'nothing':
      return { kind: 'skip', reason: `Nothing to do on "${event}": ${rule.why}.` }
    case 'follow':
      return decideFollowing(trigger, inputs)
    case 'preview':
      return trigger.pull === null
        ? { kind: 'skip', reason: `The event "${event}" belongs to no pull request.` }
        : decidePull(trigger, trigger.pull, pull ?? trigger.pull, inputs)
    case 'sweep':
      return inputs.channel === null ? { kind: 'sweep-previews' } : decideRef(trigger, inputs)
    case 'publish':
      return trigger.isDeletion
        ? {
            kind: 'skip',
            reason: `The ${ref.type === 'tag' ? 'tag' : 'branch'} was deleted, so nothing is published.`,
          }
        : decideRef(trigger, inputs)
  }
}

/** Whether GitHub gave the run no secrets, so that it can do nothing. */
export function hasNoSecrets({ pull, actor }: Trigger, { capgoToken }: OperationInputs): boolean {
  return pull !== null && capgoToken === '' && (pull.fork || actor === 'dependabot[bot]')
}

/** Runs of these events have secrets and can meet untrusted code: nothing of it is run. */
export function isPrivileged({ event }: Pick<Trigger, 'event'>): boolean {
  return event === 'pull_request_target' || event === 'workflow_run'
}

/** `event` is the pull request when the event happened, `now` the same as it is now. */
function decidePull(
  trigger: Trigger,
  event: PullRequest,
  now: PullRequest,
  inputs: OperationInputs,
): Operation {
  const { number } = now
  if (hasNoSecrets(trigger, inputs)) {
    const whose = now.fork ? 'forks' : 'Dependabot'
    const advice = now.fork
      ? 'To preview forks safely, build in one workflow and publish in a second one.'
      : 'To preview its pull requests, store the key as a Dependabot secret too.'
    return {
      kind: 'skip',
      reason: `No preview of #${number}: GitHub passes no secrets to runs of ${whose}, so this run has no Capgo key. ${advice}`,
    }
  }
  const operation = decidePreview(now, event.headSha, inputs)
  if (operation.kind === 'skip')
    return {
      kind: 'close-preview',
      pull: now,
      channelName: previewChannelName(inputs.previewChannel, now),
      why: whyNoPreview(now, inputs) ?? '',
      isEnding: ENDS.has(trigger.action),
    }
  // The run of the event that opened it again makes the preview: this one may have nothing checked out.
  if (trigger.action === 'closed')
    return { kind: 'skip', reason: `#${number} is open again, so its preview is kept.` }
  if (isPrivileged(trigger) && ENDS.has(trigger.action))
    return { kind: 'skip', reason: `#${number} still gets a preview, from the run that builds it.` }
  if (isPrivileged(trigger) && inputs.build) throw refusesToBuild(trigger)
  return operation
}

/** Activity types after which a preview may have to go. */
const ENDS: ReadonlySet<string> = new Set(['closed', 'unlabeled', 'converted_to_draft'])

/**
 * The preview of an open pull request, or why it gets none. Throws when its channel would be one that a branch
 * publishes to: whoever opens a pull request chooses its branch's name.
 */
export function decidePreview(
  pull: PullRequest,
  sha: string,
  { channels, previewChannel, ...inputs }: OperationInputs,
): Extract<Operation, { kind: 'preview' | 'skip' }> {
  const refusal = whyNoPreview(pull, inputs)
  if (refusal !== null) return { kind: 'skip', reason: `${refusal}, so it gets no preview.` }
  const channelName = previewChannelName(previewChannel, pull)
  if (channels.some(({ channel }) => channel === channelName))
    throw new ActionError(
      'preview_channel_taken',
      `The preview of #${pull.number} would use channel ${channelName}, which a branch publishes to.`,
      {
        hint: `Add {number} to the input "preview-channel" (${previewChannel}), which gives that name for this branch.`,
      },
    )
  return { kind: 'preview', pull, sha, channelName, why: `pull request #${pull.number}` }
}

function decideFollowing(trigger: Trigger, inputs: OperationInputs): Operation {
  const run = trigger.followed
  if (run === null || run.event !== 'pull_request')
    return {
      kind: 'skip',
      reason: 'The previous workflow run was not for a pull request, so nothing is previewed.',
    }
  if (run.conclusion !== 'success')
    return {
      kind: 'skip',
      reason: `The previous workflow run ended with "${run.conclusion}", so nothing is published.`,
    }
  if (inputs.build) throw refusesToBuild(trigger)
  return { kind: 'follow-run' }
}

function refusesToBuild({ event }: Trigger): ActionError {
  return new ActionError(
    'unsafe_build',
    `Building is not allowed on "${event}": untrusted code would run next to your secrets.`,
    {
      hint: 'Build in a workflow on "pull_request", which has no secrets for forks, and upload the web folder as an artifact. Publish it in a second workflow on "workflow_run" with "build: false".',
    },
  )
}

function decideRef({ ref, defaultBranch }: Trigger, inputs: OperationInputs): Operation {
  if (inputs.channel !== null) return { kind: 'publish', channelName: inputs.channel, why: 'input "channel"' }
  if (ref.type === 'other')
    throw new ActionError('ref_unknown', `The ref "${ref.full}" is neither a branch nor a tag.`, {
      hint: 'Run the workflow on a branch or tag, or set the input "channel".',
    })
  const match = matchChannel(ref, inputs.channels)
  const isBranchName =
    ref.name === defaultBranch || inputs.channels.some(({ pattern }) => pattern === ref.name)
  // More people are often allowed to create tags than to push to that branch.
  if (ref.type === 'tag' && isBranchName && (match === undefined || ref.name === defaultBranch))
    throw new ActionError('ref_ambiguous', `The tag "${ref.name}" has the name of a branch that publishes.`, {
      hint: `The mapping of a branch does not publish a tag with the same name. Delete or rename the tag. To publish it, map its full name: "refs/tags/${ref.name}".`,
    })
  if (match !== undefined)
    return {
      kind: 'publish',
      channelName: match.channel,
      why: `${ref.type} ${ref.name} matches "${match.pattern}"`,
    }
  return {
    kind: 'skip',
    reason: `No channel is mapped to ${ref.type} ${ref.name}. To publish it, add a line such as "${suggestMapping(ref, defaultBranch)}" to the input "channels".`,
  }
}
