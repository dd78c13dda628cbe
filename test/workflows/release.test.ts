/** The part of a release that runs before anything may write: what it refuses, and what it keeps for the rest. */
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { unzipSync } from 'fflate'
import { expect, it } from 'vitest'
import { tagPushEvent } from '../../local/runner/event.ts'
import { createWorld, REPOSITORY, tinyApp } from '../scenarios/scenario.ts'
import { runWorkflow } from '../workflow-runner/run.ts'
import { loadWorkflow, ROOT } from '../workflow-runner/workflow.ts'

const CHANGELOG = '# Changelog\n\n## [1.2.0] - 2026-11-24\n\n### Added\n- Promote\n'

/** A project that is released as this one is, whose tests take no time. */
async function createProject() {
  const world = await createWorld({
    files: {
      ...tinyApp(),
      'CHANGELOG.md': CHANGELOG,
      'scripts/release-notes.ts': readFileSync(join(ROOT, 'scripts/release-notes.ts')),
      'action.yml': readFileSync(join(ROOT, 'action.yml')),
      'src/documents.ts': `const REPOSITORY = '${REPOSITORY.split('/')[0]}/capgo-publish-action'\n`,
      'dist/index.js': 'console.log(1)\n',
      '.github/actions/capgo/action.yml': 'name: x\n',
      'README.md': 'Read me\n',
      LICENSE: 'MIT\n',
      '.ci/run': '#!/bin/sh\necho tested\n',
    },
  })
  chmodSync(join(world.repo.path, '.ci/run'), 0o755)
  world.repo.commit({}, 'Run')
  return world
}

/** Of release.yml, the job that has no rights. */
function build() {
  const { jobs, ...workflow } = loadWorkflow('.github/workflows/release.yml')
  return { ...workflow, jobs: { build: jobs.build! } }
}

async function release(world: Awaited<ReturnType<typeof createProject>>, tag: string) {
  world.repo.tag(tag)
  return runWorkflow(build(), { world, event: tagPushEvent({ tag, sha: world.repo.head }) })
}

const textsOf = (files: Record<string, Uint8Array>, name: string) => Buffer.from(files[name]!).toString()

it('a release keeps its notes, and what a job downloads with its checksum', async () => {
  const world = await createProject()
  const result = await release(world, 'v1.2.0')
  expect(result.result, result.jobs[0]!.steps.map(({ run }) => run?.visibleLog).join('\n')).toBe('success')
  const [artifact] = world.hosted.artifacts
  const files = unzipSync(artifact!.zip)
  const archive = 'assets/capgo-publish-action-v1.2.0.tar.gz'
  expect(Object.keys(files).sort()).toEqual(['assets/SHA256SUMS', archive, 'notes.md'])
  expect(textsOf(files, 'notes.md')).toBe('### Added\n- Promote\n')
  expect(textsOf(files, 'assets/SHA256SUMS')).toMatch(
    /^[0-9a-f]{64} {2}capgo-publish-action-v1\.2\.0\.tar\.gz\n$/,
  )
  const tar = gunzipSync(files[archive]!).toString('latin1')
  for (const path of ['action.yml', 'dist/index.js', '.github/actions/capgo/action.yml', 'LICENSE'])
    expect(tar).toContain(`capgo-publish-action-v1.2.0/${path}`)
  expect(tar).not.toContain('package.json\0')
})

it('a tag that is of another version, or of no commit on main, is refused before anything is tested', async () => {
  const world = await createProject()
  const other = await release(world, 'v1.3.0')
  expect(other.result).toBe('failure')
  world.repo.branch('aside')
  world.repo.commit({ 'README.md': 'Aside' })
  const aside = await release(world, 'v1.2.0')
  expect(aside.result).toBe('failure')
  const logs = [other, aside].map(({ jobs }) => jobs[0]!.steps.map(({ run }) => run?.visibleLog).join('\n'))
  expect(logs[0]).toContain('The tag is v1.3.0, and package.json says 1.2.0.')
  expect(logs[1]).toContain('of no commit on main')
  expect(logs.join('')).not.toContain('tested')
  expect(world.hosted.artifacts).toEqual([])
})

it('documents that name another account are refused before anything is tested', async () => {
  const world = await createProject()
  world.repo.commit({ 'src/documents.ts': readFileSync(join(ROOT, 'src/documents.ts')) })
  const { result, jobs } = await release(world, 'v1.2.0')
  expect(result).toBe('failure')
  const log = jobs[0]!.steps.map(({ run }) => run?.visibleLog).join('\n')
  expect(log).toContain('The documents name another account. Run: npm run set-owner')
  expect(log).not.toContain('tested')
})

it('a tag that is no version starts nothing', async () => {
  const world = await createProject()
  await expect(release(world, 'v1.2.0-rc.1')).rejects.toThrow('does not start')
  await expect(release(world, 'v1')).rejects.toThrow('does not start')
})
