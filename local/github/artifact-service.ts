/**
 * Where a job stores artifacts: the Twirp service at `ACTIONS_RESULTS_URL`, and the blob store that it names, as
 * `@actions/artifact` speaks to them. Not part of the REST API, so not of GitHub's description of it.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import type { HostedRepository } from './state.ts'

/** What signs the runner's token here; the last part of each. */
export const RUNTIME_SIGNATURE = 'runtime-token-0123456789abcdef'

/** The runner's `ACTIONS_RUNTIME_TOKEN`: its claim `scp` names the run and the job that may write. */
export function runtimeToken(runId: number, job = 'ca395085-040a-526b-2ce8-bdc85f692774'): string {
  const part = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url')
  const scp = `Actions.GenericRead:00000000-0000-0000-0000-000000000000 Actions.Results:${runId}:${job}`
  return [part({ typ: 'JWT', alg: 'RS256' }), part({ scp }), RUNTIME_SIGNATURE].join('.')
}

const SERVICE = '/twirp/github.actions.results.api.v1.ArtifactService'

interface Upload {
  readonly name: string
  readonly runId: number
  readonly expiresAt: string | null
  readonly blocks: Map<string, Buffer>
  content: Buffer | null
}

interface ArtifactRequest {
  readonly workflow_run_backend_id?: string
  readonly workflow_job_run_backend_id?: string
  readonly name?: string
  readonly version?: number
  readonly expires_at?: string
  readonly size?: string
  readonly hash?: string
}

/** `origin` is asked for once the server listens; `repositoryOf` finds the run's repository. */
export function createArtifactService(
  origin: () => string,
  repositoryOf: (runId: number) => HostedRepository | null,
): Hono {
  const app = new Hono()
  const uploads = new Map<string, Upload>()

  app.post(`${SERVICE}/CreateArtifact`, async context => {
    const { body, runId, refusal } = await authenticate(context)
    if (refusal !== null) return refusal
    const name = body.name ?? ''
    if (name === '' || /["<>|*?:\r\n\\/]/.test(name)) return twirp(400, 'invalid_argument', 'invalid name')
    if (body.version !== 7) return twirp(400, 'invalid_argument', `version ${body.version}`)
    const taken = repositoryOf(runId)?.artifacts.some(each => each.runId === runId && each.name === name)
    if (taken !== false)
      return taken === undefined
        ? twirp(404, 'not_found', 'no such run')
        : twirp(409, 'already_exists', 'an artifact with this name already exists on the workflow run')
    const sig = randomUUID()
    uploads.set(sig, { name, runId, expiresAt: body.expires_at ?? null, blocks: new Map(), content: null })
    return Response.json({ ok: true, signed_upload_url: `${origin()}/blobs/${name}.zip?se=soon&sig=${sig}` })
  })

  app.post(`${SERVICE}/FinalizeArtifact`, async context => {
    const { body, runId, refusal } = await authenticate(context)
    if (refusal !== null) return refusal
    const found = [...uploads].find(([, each]) => each.runId === runId && each.name === body.name)
    const zip = found?.[1].content
    if (!found || !zip) return twirp(404, 'not_found', 'nothing was uploaded')
    const digest = `sha256:${createHash('sha256').update(zip).digest('hex')}`
    if (Number(body.size) !== zip.length || body.hash !== digest)
      return twirp(400, 'invalid_argument', 'size or hash are not those of what was uploaded')
    uploads.delete(found[0])
    const artifact = repositoryOf(runId)!.addArtifact({
      runId,
      name: found[1].name,
      zip,
      expiresAt: found[1].expiresAt,
    })
    return Response.json({ ok: true, artifact_id: String(artifact.id) })
  })

  // Azure's store: whole, or in blocks that a list puts into order.
  app.put('/blobs/:name', async context => {
    const upload = uploads.get(context.req.query('sig') ?? '')
    if (context.req.header('authorization') !== undefined) return azure(400, 'InvalidAuthenticationInfo')
    if (upload === undefined) return azure(403, 'AuthenticationFailed')
    const bytes = Buffer.from(await context.req.arrayBuffer())
    const { comp, blockid = '' } = context.req.query()
    if (comp === 'block') upload.blocks.set(blockid, bytes)
    else if (comp === 'blocklist') {
      const ids = [...bytes.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id]) => id!)
      if (ids.some(id => !upload.blocks.has(id))) return azure(400, 'InvalidBlockList')
      upload.content = Buffer.concat(ids.map(id => upload.blocks.get(id)!))
    } else if (context.req.header('x-ms-blob-type') === 'BlockBlob') upload.content = bytes
    else return azure(400, 'InvalidHeaderValue')
    return azure(201)
  })

  app.all('*', () => twirp(404, 'bad_route', 'no handler for this path'))
  return app
}

async function authenticate(context: Context) {
  const body = (await context.req.json().catch(() => ({}))) as ArtifactRequest
  const token = /^Bearer (.+)$/.exec(context.req.header('authorization') ?? '')?.[1] ?? ''
  const [, claims = '', signature] = token.split('.')
  if (signature !== RUNTIME_SIGNATURE)
    return { body, runId: 0, refusal: twirp(401, 'unauthenticated', 'invalid token') }
  const { scp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { scp: string }
  const [, run, job] = /\bActions\.Results:([^: ]+):([^: ]+)/.exec(scp) ?? []
  const isTheirs = run === body.workflow_run_backend_id && job === body.workflow_job_run_backend_id
  return {
    body,
    runId: Number(run),
    refusal: isTheirs ? null : twirp(403, 'permission_denied', 'the token is for another job'),
  }
}

const twirp = (status: number, code: string, msg: string) => Response.json({ code, msg }, { status })

function azure(status: number, code?: string): Response {
  const headers = {
    'x-ms-request-id': randomUUID(),
    'x-ms-version': '2026-04-06',
    etag: '"0x8DD000000000000"',
    'last-modified': new Date(0).toUTCString(),
    ...(code === undefined ? {} : { 'x-ms-error-code': code, 'content-type': 'application/xml' }),
  }
  const body = code === undefined ? null : `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`
  return new Response(body, { status, headers })
}
