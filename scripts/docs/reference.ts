/** The generated parts of docs/reference.md: inputs by task, outputs, and what each ready-made workflow accepts. */
import { type ActionMetadata, cell, table } from './table.ts'

/** One use of an input; `with` is a fragment of YAML as a user writes it. */
interface InputExample {
  readonly with: string
  /** A note on the example, or on what the description leaves open. */
  readonly note?: string
}

/** By task, then by input: docs/inputs.yml. */
export type InputExamples = Readonly<Record<string, Readonly<Record<string, InputExample>>>>

/** A section for each task. Throws where an input has no example, or an example no input. */
export function inputSections(inputs: ActionMetadata['inputs'], tasks: InputExamples): string {
  const shown = Object.values(tasks).flatMap(examples => Object.entries(examples))
  for (const name of Object.keys(inputs))
    if (!shown.some(([input]) => input === name))
      throw new Error(
        `The input "${name}" has no example. Add one to docs/inputs.yml, below its task:\n  ${name}:\n    with: |\n      ${name}: …`,
      )
  for (const [name, { with: fragment }] of shown) {
    if (!(name in inputs))
      throw new Error(`docs/inputs.yml has an example of "${name}", which is not an input.`)
    if (!fragment) throw new Error(`The example of "${name}" in docs/inputs.yml lacks "with".`)
  }
  return Object.entries(tasks)
    .map(([task, examples]) => {
      const sections = Object.entries(examples).map(([name, example]) =>
        section(name, inputs[name]!, example),
      )
      return `### ${task}\n\n${sections.join('\n')}`
    })
    .join('\n')
}

function section(
  name: string,
  { description, required, default: value }: ActionMetadata['inputs'][string],
  { with: fragment, note = '' }: InputExample,
): string {
  const fallback = required ? 'Required.' : value ? `Default: \`${value}\`.` : ''
  const text = [description, fallback].map(cell).filter(part => part !== '')
  const after = note === '' ? '' : `\n${cell(note)}\n`
  return `#### ${name}\n\n${text.join(' ')}\n\n\`\`\`yaml\nwith:\n${indent(fragment.trimEnd())}\n\`\`\`\n${after}`
}

export function outputTable(outputs: ActionMetadata['outputs']): string {
  const rows = Object.entries(outputs).map(([name, { description }]) => [`\`${name}\``, description])
  return table(['output', 'what it is'], rows)
}

interface Accepted {
  readonly description: string
  readonly required?: boolean
  readonly default?: unknown
}

/** The part of a ready-made workflow under `workflow_call`. */
export interface ReadyMade {
  readonly inputs?: Readonly<Record<string, Accepted>>
  readonly secrets?: Readonly<Record<string, Accepted>>
  readonly outputs?: Readonly<Record<string, { readonly description: string }>>
}

/** Inputs, secrets and outputs by name; of the key also its role. */
export function workflowLists(
  name: string,
  { inputs = {}, secrets = {}, outputs = {} }: ReadyMade,
  own: ActionMetadata['inputs'],
): string {
  const names = (accepted: Readonly<Record<string, Accepted>>) =>
    Object.entries(accepted).map(([name, { required, description }]) => {
      const shown = name in own ? `[\`${name}\`](#${name})` : `\`${name}\``
      const role =
        name === 'capgo-token'
          ? description.replace(/^Capgo API key,? (?:preferably )?with the role /, '').replace(/\.$/, '')
          : ''
      const notes = [required ? 'required' : '', role].filter(note => note !== '')
      return notes.length === 0 ? shown : `${shown} (${notes.join(', ')})`
    })
  return [
    `- [The file](../.github/workflows/${name}.yml)`,
    `- Inputs: ${names(inputs).join(', ')}`,
    ...(Object.keys(secrets).length > 0 ? [`- Secrets: ${names(secrets).join(', ')}`] : []),
    ...(Object.keys(outputs).length > 0
      ? [
          `- Outputs: ${Object.keys(outputs)
            .map(name => `\`${name}\``)
            .join(', ')}`,
        ]
      : []),
  ].join('\n')
}

/** The inputs that the action does not have, each once. */
export function ownInputTable(workflows: readonly ReadyMade[], own: ActionMetadata['inputs']): string {
  const all = workflows.flatMap(({ inputs = {} }) => Object.entries(inputs))
  const rows = new Map(
    all
      .filter(([name]) => !(name in own))
      .map(([name, { description, default: value }]) => [
        name,
        [`\`${name}\``, description, value ? `\`${value}\`` : ''],
      ]),
  )
  return table(['input', 'what it does', 'default'], [...rows.values()])
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
