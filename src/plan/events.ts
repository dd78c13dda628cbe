/** The table of GitHub's events: the only place that says what `operation: auto` does on which event. */

export type EventWork =
  /** Builds the ref and publishes it to the channel that is mapped to it. */
  | 'publish'
  /** Makes a pull request's preview what the pull request is now. */
  | 'preview'
  /** Publishes for a pull request what the run before this one built. */
  | 'follow'
  /** Puts right what runs left behind that were cancelled or failed. */
  | 'sweep'
  /** Ends green and changes nothing. */
  | 'nothing'
  /** Ends with an error that names the event. */
  | 'refuse'

export interface EventRule {
  readonly work: EventWork
  /** Why, as a sentence without its full stop. */
  readonly why: string
  /** The only activity types that do this; the others do nothing. */
  readonly types?: readonly string[]
}

const publish = (why: string, types?: readonly string[]): EventRule => ({
  work: 'publish',
  why,
  ...(types === undefined ? {} : { types }),
})
const nothing = (why: string): EventRule => ({ work: 'nothing', why })
const refuse = (why: string): EventRule => ({ work: 'refuse', why })

const ANYONE = 'people without write access can trigger it'
const NO_COMMIT = 'it says nothing about a commit that is ready to publish'

/**
 * Every event that starts a workflow, by GitHub's list "Events that trigger workflows" and its older ones. Anything not
 * here is refused.
 */
export const EVENTS = {
  push: publish('a branch or tag has a new commit'),
  workflow_dispatch: publish('a person started it'),
  repository_dispatch: publish('a program with write access started it'),
  release: publish('the tag of a release is published', ['published', 'released', 'prereleased', 'created']),
  pull_request: { work: 'preview', why: 'the preview follows the pull request' },
  pull_request_target: { work: 'preview', why: 'the preview follows the pull request, and nothing is built' },
  workflow_run: { work: 'follow', why: 'the previous workflow run built a pull request' },
  schedule: { work: 'sweep', why: 'it belongs to no commit, and publishes only with the input "channel"' },

  create: nothing('the push of the new branch or tag has a run of its own'),
  delete: nothing('a deleted branch or tag has nothing to publish'),
  merge_group: nothing('the merge queue can still drop this commit'),

  issue_comment: refuse(ANYONE),
  issues: refuse(ANYONE),
  discussion: refuse(ANYONE),
  discussion_comment: refuse(ANYONE),
  pull_request_review: refuse(ANYONE),
  pull_request_review_comment: refuse(ANYONE),
  pull_request_review_thread: refuse(ANYONE),
  commit_comment: refuse(ANYONE),
  fork: refuse(ANYONE),
  watch: refuse(ANYONE),
  star: refuse(ANYONE),
  gollum: refuse('people who can edit the wiki can trigger it'),

  branch_protection_rule: refuse(NO_COMMIT),
  check_run: refuse(NO_COMMIT),
  check_suite: refuse(NO_COMMIT),
  deployment: refuse('this action creates deployments, so it would trigger itself'),
  deployment_status: refuse('this action creates deployments, so it would trigger itself'),
  image_version: refuse(NO_COMMIT),
  label: refuse(NO_COMMIT),
  member: refuse(NO_COMMIT),
  milestone: refuse(NO_COMMIT),
  package: refuse(NO_COMMIT),
  page_build: refuse(NO_COMMIT),
  project: refuse(NO_COMMIT),
  project_card: refuse(NO_COMMIT),
  project_column: refuse(NO_COMMIT),
  public: refuse(NO_COMMIT),
  registry_package: refuse(NO_COMMIT),
  repository: refuse(NO_COMMIT),
  status: refuse(NO_COMMIT),
  workflow_job: refuse(NO_COMMIT),
} satisfies Readonly<Record<string, EventRule>>

/** The rule of an event; `action` is the payload's activity type. */
export function ruleOf(event: string, action: string): EventRule {
  const known: Readonly<Record<string, EventRule>> = EVENTS
  const rule = Object.hasOwn(known, event) ? known[event] : undefined
  if (rule === undefined) return refuse('this event is unknown')
  if (rule.types === undefined || rule.types.includes(action)) return rule
  return nothing(`its activity type "${action}" publishes nothing`)
}
