/** The result of a try: as text for a person, and as JSON for a bug report or a script. */
import type { StoredApp } from '../../local/capgo/index.ts'
import type { ActionRun } from '../../local/runner/runner.ts'
import { failOnLeak } from '../../local/runner/secrets.ts'
import { bold, cyan, dim, type Story } from '../demo/terminal.ts'
import type { App } from '../trial.ts'
import type { DeviceReport } from './devices.ts'
import type { TriedEvent } from './event.ts'
import type { Stage, TriedRepository } from './repository.ts'

export interface TryResult {
  readonly exitCode: number
  readonly outputs: Readonly<Record<string, string>>
  readonly annotations: readonly {
    readonly level: 'error' | 'warning' | 'notice'
    readonly message: string
    readonly file?: string
    readonly line?: number
  }[]
  readonly summary: string
  readonly comments: readonly { readonly issue: number; readonly author: string; readonly body: string }[]
  readonly issues: readonly {
    readonly number: number
    readonly state: 'open' | 'closed'
    readonly title: string
    readonly author: string
    readonly labels: readonly string[]
  }[]
  readonly pulls: readonly {
    readonly number: number
    readonly state: 'open' | 'closed' | 'merged'
    readonly title: string
    readonly head: string
    readonly base: string
  }[]
  /** Of GitHub, with commits that the folder lacks. */
  readonly branches: ReturnType<TriedRepository['listNews']>
  readonly channels: readonly {
    readonly name: string
    readonly public: boolean
    readonly bundle: string | null
  }[]
  readonly bundles: StoredApp['bundles']
  readonly overrides: StoredApp['overrides']
  readonly devices: readonly DeviceReport[]
  /** How many the run sent. */
  readonly requests: { readonly capgo: number; readonly github: number }
}

export function describeResult(
  run: ActionRun,
  stored: StoredApp,
  { repository, hosted }: Omit<Stage, 'pushed'>,
  devices: readonly DeviceReport[],
  requests: TryResult['requests'],
): TryResult {
  const all = [...hosted.issues.values()]
  return {
    // A run that a signal ended is red, as on GitHub.
    exitCode: run.exitCode ?? 1,
    outputs: run.outputs,
    annotations: run.log.annotations.map(({ level, message, file, line }) => ({
      level,
      message,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
    })),
    summary: run.summary,
    comments: hosted.comments.map(({ issue, author, body }) => ({ issue, author, body })),
    issues: all.flatMap(({ number, state, title, author, labels, pull }) =>
      pull === null ? [{ number, state, title, author, labels }] : [],
    ),
    pulls: all.flatMap(({ number, state, title, pull }) =>
      pull === null
        ? []
        : [
            {
              number,
              state: pull.mergedAt === null ? state : 'merged',
              title,
              head: pull.head.ref,
              base: pull.base.ref,
            },
          ],
    ),
    branches: repository.listNews(),
    channels: stored.channels.map(({ name, public: isPublic, bundle }) => ({
      name,
      public: isPublic,
      bundle,
    })),
    bundles: stored.bundles,
    overrides: stored.overrides,
    devices,
    requests,
  }
}

export function tellBeginning(
  story: Story,
  app: App | null,
  event: TriedEvent,
  repository: TriedRepository,
  capgoUrl: string,
): void {
  story.line(bold('The action, as GitHub would run it; GitHub and Capgo are on this machine'))
  story.fact('app', `${app?.id ?? 'no app id found'} in ${repository.name}`)
  story.fact('commit', `${event.checkout.slice(0, 7)} "${repository.subject(event.checkout)}"`)
  if (repository.changed > 0)
    story.fact('', `${repository.changed} changed files are not committed, so they are not in it`)
  story.fact('event', event.title)
  for (const note of event.notes) story.fact('', note)
  story.fact('Capgo', cyan(capgoUrl))
}

export interface Witness {
  readonly app: App | null
  readonly key: string
  /** Devices that chose the run's channel, where no other follows it. */
  readonly testers: readonly DeviceReport[]
  /** Comments that the run wrote or changed. */
  readonly written: TryResult['comments']
  /** The local GitHub's, where it stays. */
  readonly repository: string | null
}

export function tellResult(
  story: Story,
  run: ActionRun,
  result: TryResult,
  { app, key, testers, written, repository }: Witness,
): void {
  story.chapter('Job summary')
  story.line(asText(result.summary).replace(/^/gm, '  '))
  story.chapter('Outputs')
  const outputs = Object.entries(result.outputs).filter(([, value]) => value !== '')
  for (const [name, value] of outputs) story.line(`  ${dim(name.padEnd(15))} ${value}`)
  // Those of pull requests are pictures and links, which a terminal does not show.
  for (const { issue, body } of written.filter(({ issue }) =>
    result.issues.some(({ number }) => number === issue),
  )) {
    story.chapter(`Comment on issue #${issue}`)
    story.line(asText(body).replace(/^/gm, '  '))
  }
  story.chapter('What came of it')
  story.claim('the step is green', result.exitCode === 0, `exit code ${run.exitCode ?? run.signal}`)
  story.claim('the key is nowhere in log, summary and outputs', !leaks(run, key))
  for (const { number, state, author } of result.issues)
    story.fact('issue', `#${number} of ${author} is ${state}`)
  for (const { number, state, title, head, base } of result.pulls)
    story.fact('pull', `#${number} "${title}" (${head} into ${base}) is ${state}`)
  for (const { name, commit, subject } of result.branches)
    story.fact('branch', `${name} is at ${commit.slice(0, 7)} "${subject}", which your folder lacks`)
  if (repository !== null && result.branches.length > 0)
    story.fact('', dim(`in your folder: git pull ${repository} <branch>`))
  for (const { name, bundle, public: isPublic } of result.channels)
    story.fact('channel', `${name}${isPublic ? ' (public)' : ''} serves ${bundle ?? 'nothing'}`)
  for (const { device, channel } of result.overrides) story.fact('override', `${device} on ${channel}`)
  const hint = app?.isKnown === false ? '; give the version in the stores: --input native-version=1.0' : ''
  const tell = (who: string, { platform, native, channel, installed, refusal }: DeviceReport) =>
    story.claim(
      `${who} (${platform}, native version ${native}) on ${channel ?? 'no channel'} installs ${installed ?? 'nothing'}`,
      installed !== null,
      `${refusal}${hint}`,
    )
  for (const device of result.devices) tell('a device', device)
  for (const device of testers) tell('a tester', device)
}

/** The summary's Markdown without the HTML and the diagrams that GitHub renders. */
function asText(markdown: string): string {
  return markdown
    .replace(/^```mermaid\n[\s\S]*?^```\n/gm, '')
    .replace(/<!--[\s\S]*?-->\n?/g, '')
    .replace(/\[([^\]]*)\]\(<[^>]*>\)/g, '$1')
    .replace(/<\/?(?:b|code|details|span|summary|sub)\b[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function leaks(run: ActionRun, key: string): boolean {
  try {
    failOnLeak(run, [key])
    return false
  } catch {
    return true
  }
}
