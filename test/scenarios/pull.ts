import type { Files } from '../../local/repository.ts'
import {
  type PullRequestAction,
  type PullRequestOptions,
  pullRequestEvent,
} from '../../local/runner/event.ts'
import type { ActionRun } from '../../local/runner/runner.ts'
import type { World, WorldRun } from './scenario.ts'

export interface PullOptions {
  readonly number?: number
  readonly branch?: string
  readonly files?: Files
  readonly base?: string
  readonly labels?: readonly string[]
  readonly title?: string
  readonly draft?: boolean
  readonly fork?: string
  readonly actor?: string
}

/** A pull request on the local GitHub, as a person opens, changes and closes it. */
export interface TestPull {
  readonly number: number
  /** Commits on its branch. */
  push(files: Files): void
  /** Runs the action for what happened to it. */
  run(action: PullRequestAction, more?: Partial<PullRequestOptions>, options?: WorldRun): Promise<ActionRun>
  close(merged?: boolean, options?: WorldRun): Promise<ActionRun>
  /** Texts of the action's comments on it. */
  comments(): string[]
}

export async function openPull(world: World, options: PullOptions = {}): Promise<TestPull> {
  const { repo, hosted } = world
  const {
    number = 12,
    branch = 'feature/evening',
    files = { 'greeting.txt': '<h1>Good evening</h1>\n' },
  } = options
  const baseRef = options.base ?? 'main'
  repo.branch(branch)
  repo.commit(files)
  await hosted.addPull({
    number,
    head: { ref: branch, ...(options.fork === undefined ? {} : { fork: options.fork }) },
    base: { ref: baseRef },
    ...(options.labels ? { labels: options.labels } : {}),
    ...(options.actor === undefined ? {} : { author: options.actor }),
    ...(options.title === undefined ? {} : { title: options.title }),
    draft: options.draft ?? false,
  })
  const run: TestPull['run'] = (action, more = {}, runOptions = {}) => {
    const { issue, pull } = hosted.pull(number)
    return world.run(
      pullRequestEvent(action, {
        number,
        headSha: pull.head.sha,
        headRef: pull.head.ref,
        baseRef: pull.base.ref,
        title: issue.title,
        labels: issue.labels,
        draft: pull.draft,
        merged: pull.mergedAt !== null,
        ...(options.fork === undefined ? {} : { fork: options.fork }),
        ...(options.actor === undefined ? {} : { actor: options.actor }),
        ...more,
      }),
      runOptions,
    )
  }
  return {
    number,
    push(changed) {
      repo.commit(changed)
      hosted.pull(number).pull.head.sha = repo.head
    },
    run,
    close(merged = false, runOptions = {}) {
      hosted.closePull(number, { merged })
      return run('closed', {}, runOptions)
    },
    comments: () =>
      hosted
        .commentsOf(number)
        .filter(({ author }) => author === 'github-actions[bot]')
        // The seal differs with the key, which is drawn.
        .map(({ body }) => body.replace(/<!-- key [0-9a-f.]+ -->/g, '<!-- key SEAL -->')),
  }
}
