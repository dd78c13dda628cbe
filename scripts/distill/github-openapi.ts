/**
 * Writes local/github/openapi.json: of GitHub's description of its REST API only the operations that we use,
 * without their prose, as JSON Schema 2020-12. The description weighs 385 MB, so it is not a dependency:
 *
 *   npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz
 *   node scripts/distill/github-openapi.ts package
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OPERATIONS = [
  'actions/download-artifact',
  'actions/get-artifact',
  'actions/get-workflow-run',
  'actions/list-workflow-run-artifacts',
  'actions/list-workflow-runs-for-repo',
  'git/create-commit',
  'git/create-ref',
  'git/create-tree',
  'git/get-commit',
  'git/get-ref',
  'git/list-matching-refs',
  'git/update-ref',
  'issues/create-comment',
  'issues/delete-comment',
  'issues/get',
  'issues/get-comment',
  'issues/list-comments',
  'issues/list-comments-for-repo',
  'issues/list-for-repo',
  'issues/update',
  'issues/update-comment',
  'pulls/create',
  'pulls/get',
  'pulls/list',
  'pulls/list-files',
  'pulls/list-requested-reviewers',
  'pulls/list-reviews',
  'pulls/update',
  'repos/compare-commits-with-basehead',
  'repos/create-deployment',
  'repos/create-deployment-status',
  'repos/create-or-update-environment',
  'repos/delete-an-environment',
  'repos/delete-deployment',
  'repos/get',
  'repos/get-collaborator-permission-level',
  'repos/get-commit',
  'repos/get-content',
  'repos/get-deployment',
  'repos/get-environment',
  'repos/list-activities',
  'repos/list-commits',
  'repos/list-deployment-statuses',
  'repos/list-deployments',
  'repos/list-pull-requests-associated-with-commit',
  'users/get-authenticated',
]

/** What says something about a value; everything else is prose, or is handled below. */
const KEPT = [
  'type',
  'enum',
  'required',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'pattern',
]
/** int64 is what every integer of GitHub's is. */
const FORMATS = ['date-time', 'email', 'uri']

type Node = { [key: string]: unknown }

const [source] = process.argv.slice(2)
if (source === undefined) {
  console.error('Usage: node scripts/distill/github-openapi.ts <folder of the package @octokit/openapi>')
  process.exit(2)
}
const read = (path: string) => JSON.parse(readFileSync(join(source, path), 'utf8')) as Node
const { name, version } = read('package.json')
const [license] = readFileSync(join(source, 'LICENSE'), 'utf8').split('\n')
const description = read('generated/api.github.com.json')

const $defs: Record<string, Node> = {}
const operations: Record<string, Node> = {}
for (const [path, methods] of Object.entries(description.paths as Record<string, Record<string, Node>>))
  for (const [method, operation] of Object.entries(methods))
    if (OPERATIONS.includes(operation.operationId as string))
      operations[operation.operationId as string] = distillOperation(method, path, operation)

const missing = OPERATIONS.filter(id => !(id in operations))
if (missing.length > 0) throw new Error(`GitHub does not know: ${missing.join(', ')}`)

const target = fileURLToPath(new URL('../../local/github/openapi.json', import.meta.url))
const text = JSON.stringify({
  source: `${name} ${version}`,
  license,
  operations: sortKeys(operations),
  $defs: sortKeys($defs),
})
// Biome leaves the file itself out; under another name it formats the same text.
const formatted = execFileSync('npx', ['biome', 'format', '--stdin-file-path=openapi.json'], { input: text })
writeFileSync(target, formatted)

function distillOperation(method: string, path: string, operation: Node): Node {
  const body = operation.requestBody as { required?: boolean; content: Node } | undefined
  return {
    method: method.toUpperCase(),
    path,
    docs: (operation.externalDocs as { url: string }).url,
    parameters: (operation.parameters as Node[]).map(each => {
      const parameter = dereference(each)
      return {
        name: parameter.name,
        in: parameter.in,
        ...(parameter.required ? { required: true } : {}),
        ...(parameter['x-multi-segment'] ? { multiSegment: true } : {}),
        schema: distillSchema(parameter.schema as Node),
      }
    }),
    ...(body ? { body: { required: body.required ?? false, schema: jsonSchemaOf(body) } } : {}),
    responses: Object.fromEntries(
      Object.entries(operation.responses as Record<string, Node>).map(([status, response]) => [
        status,
        jsonSchemaOf(dereference(response)),
      ]),
    ),
  }
}

function jsonSchemaOf(message: Node): Node | null {
  const json = (message.content as Record<string, { schema: Node }> | undefined)?.['application/json']
  return json ? distillSchema(json.schema) : null
}

/** OpenAPI 3.0 to JSON Schema. Objects are closed: a field that GitHub does not name is an error. */
function distillSchema(schema: Node): Node {
  if (typeof schema.$ref === 'string') return distillReference(schema.$ref)
  if (schema.allOf) return distillSchema(joinObjects(schema.allOf as Node[]))
  const result: Node = {}
  for (const key of KEPT) if (key in schema) result[key] = schema[key]
  if (FORMATS.includes(schema.format as string)) result.format = schema.format
  if (schema.items) result.items = distillSchema(schema.items as Node)
  for (const key of ['oneOf', 'anyOf'])
    if (schema[key]) result[key] = (schema[key] as Node[]).map(distillSchema)
  if (schema.properties) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties as Record<string, Node>).map(([key, value]) => [
        key,
        distillSchema(value),
      ]),
    )
    result.additionalProperties = false
  }
  const { additionalProperties } = schema
  if (additionalProperties !== undefined)
    result.additionalProperties =
      typeof additionalProperties === 'object'
        ? distillSchema(additionalProperties as Node)
        : additionalProperties
  return schema.nullable ? orNull(result) : result
}

/** As one object, since several cannot be closed each by itself. */
function joinObjects(parts: readonly Node[]): Node {
  const all = parts.map(dereference)
  return {
    type: 'object',
    properties: Object.assign({}, ...all.map(({ properties }) => properties)),
    required: all.flatMap(({ required }) => (required as string[] | undefined) ?? []),
  }
}

function orNull(schema: Node): Node {
  if (typeof schema.type !== 'string') return { anyOf: [schema, { type: 'null' }] }
  return {
    ...schema,
    type: [schema.type, 'null'],
    ...(schema.enum ? { enum: [...new Set([...(schema.enum as unknown[]), null])] } : {}),
  }
}

function distillReference(reference: string): Node {
  const schemaName = reference.replace('#/components/schemas/', '')
  if (!(schemaName in $defs)) {
    $defs[schemaName] = {} // Some schemas contain themselves.
    $defs[schemaName] = distillSchema(dereference({ $ref: reference }))
  }
  return { $ref: `#/$defs/${schemaName}` }
}

function dereference(node: Node): Node {
  if (typeof node.$ref !== 'string') return node
  const path = node.$ref.slice('#/'.length).split('/')
  return path.reduce<Node>((at, key) => at[key] as Node, description)
}

function sortKeys(record: Record<string, Node>): Record<string, Node> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
