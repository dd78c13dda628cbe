/**
 * Writes docs/testers.schema.json from the schema that parses testers files, with what editors show beside: messages,
 * snippets, examples and links. `--check` only compares.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { documentsOf } from '../../src/documents.ts'
import {
  DEVICE_ID_EXAMPLE,
  DeviceId,
  DeviceIds,
  Entries,
  GroupName,
  Groups,
  TesterEntry,
  TestersDocument,
} from '../../src/inputs/testers-schema.ts'

const file = join(import.meta.dirname, '../../docs/testers.schema.json')
const documents = documentsOf({})
const link = (text: string, heading: string) => `[${text}](${documents('testers', heading)})`

/** Keywords of VS Code; other editors read the standard ones beside them. */
interface Hints {
  readonly errorMessage?: string
  readonly examples?: readonly unknown[]
  readonly more?: string
  readonly uniqueItems?: true
  readonly defaultSnippets?: readonly { label: string; description: string; body: unknown }[]
}

const DEVICE: Hints = {
  errorMessage: `Not a device id. CapacitorUpdater.getDeviceId() returns it, for example ${DEVICE_ID_EXAMPLE}.`,
  more: link('Where the id comes from', 'device-ids'),
  defaultSnippets: [
    { label: 'Device id', description: 'The id of a phone, without a name', body: '${1:device id}' },
  ],
}

const TESTER: Hints = {
  errorMessage:
    'A tester is a device id, or an object with "device" and, as you like, "name", "github", "groups", "channel", "until".',
  more: link('The file', 'the-file'),
  defaultSnippets: [
    {
      label: 'Tester',
      description: 'A phone, and whose it is',
      body: { device: '${1:device id}', name: '${2:name}' },
    },
    {
      label: 'Tester on a channel',
      description: 'A phone on a channel, until a day',
      body: {
        device: '${1:device id}',
        name: '${2:name}',
        github: '${3:login}',
        channel: '${4:beta}',
        until: '${5:2027-03-31}',
      },
    },
  ],
}

const GROUPS: Hints = {
  errorMessage:
    'Groups are an object: {"qa": ["<device id>"]}. Names are of letters, digits, ".", "_" and "-".',
  more: link('Which preview a device gets', 'which-preview-a-device-gets'),
  defaultSnippets: [
    {
      label: 'Group',
      description: 'Phones that get a preview together',
      body: { '${1:qa}': ['${2:device id}'] },
    },
  ],
}

const GROUP_NAME: Hints = {
  errorMessage: 'Not a group\'s name. Use letters, digits, ".", "_" and "-".',
}

/** An editor finds the same id twice; that two entries have it, the action does. */
const NO_DOUBLES: Hints = { uniqueItems: true }

const KEYS: Readonly<Record<string, Hints>> = {
  name: { errorMessage: 'A name has 1 to 100 characters.', examples: ["Iris' Pixel 9"] },
  github: { errorMessage: 'Not a login of GitHub. Write it without "@".', examples: ['octocat'] },
  groups: { examples: [['qa']], more: link('Which preview a device gets', 'which-preview-a-device-gets') },
  channel: {
    errorMessage: 'Not a channel\'s name. Use letters, digits, ".", "_" and "-".',
    examples: ['beta'],
    more: link('Channels', 'which-preview-a-device-gets'),
  },
  until: { errorMessage: 'Not a day. Write it as 2027-03-31.', examples: ['2027-03-31'] },
}

const WHOLE: Hints = {
  defaultSnippets: [
    {
      label: 'Testers file',
      description: 'Phones, whose they are, and groups of them',
      body: {
        testers: [{ device: '${1:device id}', name: '${2:name}' }],
        groups: { '${3:qa}': ['${4:device id}'] },
      },
    },
  ],
}
const FILE = 'The file has "testers", "groups" and "$schema", or it is a list of testers.'

type Json = Record<string, unknown>

function addHints(schema: Json, { more, ...hints }: Hints): void {
  Object.assign(schema, hints)
  if (more !== undefined)
    schema.markdownDescription = `${[schema.description, more].filter(Boolean).join(' ')}`
}

/** JSON Schema, draft 2020-12. */
export function testersSchema(): unknown {
  const { $schema, ...rest } = z.toJSONSchema(TestersDocument, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const schema = jsonSchema as Json
      if (zodSchema === DeviceId) addHints(schema, DEVICE)
      if (zodSchema === TesterEntry) {
        addHints(schema, TESTER)
        const properties = schema.properties as Readonly<Record<string, Json>>
        for (const [key, hints] of Object.entries(KEYS)) addHints(properties[key]!, hints)
      }
      if (zodSchema === Groups) addHints(schema, GROUPS)
      if (zodSchema === GroupName) addHints(schema, GROUP_NAME)
      if (zodSchema === Entries || zodSchema === DeviceIds) addHints(schema, NO_DOUBLES)
      if (zodSchema === TestersDocument) {
        addHints(schema, WHOLE)
        for (const form of schema.anyOf as Json[]) form.errorMessage = FILE
      }
    },
  })
  return {
    $schema,
    title: 'testers.json of capgo-publish-action',
    allowComments: true,
    allowTrailingCommas: true,
    ...rest,
  }
}

if (import.meta.main) {
  const wanted = `${JSON.stringify(testersSchema(), null, 2)}\n`
  if (!process.argv.includes('--check')) writeFileSync(file, wanted)
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== wanted) {
    console.error('docs/testers.schema.json is not what src/inputs/testers-schema.ts says: npm run readme')
    process.exit(1)
  } else console.log('docs/testers.schema.json is what src/inputs/testers-schema.ts says.')
}
