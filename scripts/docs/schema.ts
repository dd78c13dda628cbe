/** Writes docs/testers.schema.json from the schema that parses testers files; `--check` only compares. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { TestersDocument } from '../../src/inputs/testers-schema.ts'

const file = join(import.meta.dirname, '../../docs/testers.schema.json')

/** JSON Schema, draft 2020-12. */
export function testersSchema(): unknown {
  const { $schema, ...rest } = z.toJSONSchema(TestersDocument, { io: 'input' })
  return { $schema, title: 'testers.json of capgo-publish-action', ...rest }
}

if (import.meta.main) {
  const wanted = `${JSON.stringify(testersSchema(), null, 2)}\n`
  if (!process.argv.includes('--check')) writeFileSync(file, wanted)
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== wanted) {
    console.error('docs/testers.schema.json is not what src/inputs/testers-schema.ts says: npm run readme')
    process.exit(1)
  } else console.log('docs/testers.schema.json is what src/inputs/testers-schema.ts says.')
}
