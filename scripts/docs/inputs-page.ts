import type { ActionMetadata } from './table.ts'
import { cell } from './table.ts'

/** One use of an input; `with` is a fragment of YAML as a user writes it. */
interface InputExample {
  readonly when: string
  readonly with: string
  readonly gives: string
}

export type InputExamples = Readonly<Record<string, readonly InputExample[]>>

/** docs/inputs.md. Throws where an input has no example, or an example no input. */
export function inputsPage(inputs: ActionMetadata['inputs'], examples: InputExamples): string {
  for (const name of Object.keys(inputs))
    if (!examples[name]?.length)
      throw new Error(
        `The input "${name}" has no example. Add one to docs/inputs.yml:\n${name}:\n  - when: …\n    with: |\n      ${name}: …\n    gives: …`,
      )
  for (const [name, list] of Object.entries(examples)) {
    if (!(name in inputs))
      throw new Error(`docs/inputs.yml has examples of "${name}", which is not an input.`)
    for (const { when, with: fragment, gives } of list)
      if (!when || !fragment || !gives)
        throw new Error(`An example of "${name}" in docs/inputs.yml lacks "when", "with" or "gives".`)
  }
  const names = Object.keys(inputs)
  return `# Every input by example

When each input is of use, how it is written, and what it gives. All but \`capgo-token\` may be left out. The fragments show what
matters for one input; the rest of the step is

\`\`\`yaml
- uses: OWNER/capgo-publish-action@v1
  with:
    capgo-token: \${{ secrets.CAPGO_TOKEN }}
\`\`\`

This page is written by \`npm run readme\` from action.yml and docs/inputs.yml; the tests read each fragment with the action's own
code.

${names.map(name => `[\`${name}\`](#${name})`).join(' · ')}

${names.map(name => section(name, inputs[name]!, examples[name]!)).join('\n')}`
}

function section(
  name: string,
  { description, required, default: value }: ActionMetadata['inputs'][string],
  examples: readonly InputExample[],
): string {
  const fallback = required
    ? 'Required.'
    : value
      ? `Default: ${value
          .split('\n')
          .map(line => `\`${line}\``)
          .join(', ')}.`
      : ''
  const shown = examples.map(
    ({ when, with: fragment, gives }) =>
      `**When:** ${cell(when)}\n\n\`\`\`yaml\nwith:\n${indent(fragment.trimEnd())}\n\`\`\`\n\n${cell(gives)}\n`,
  )
  return `## ${name}\n\n${[description.trim().replace(/\s+/g, ' '), fallback].join(' ').trim()}\n\n${shown.join('\n')}`
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
