import { table } from './table.ts'

/** What a reader looks for, in this order; a page that is not named here comes last. */
const ORDER = [
  'get-started.md',
  'previews.md',
  'on-your-phone.md',
  'testers.md',
  'branches-and-versions.md',
  'operate.md',
  'native-releases.md',
  'forks.md',
  'monorepos-and-frameworks.md',
  'encryption-and-delta.md',
  'self-hosting.md',
  'migrate.md',
  'reference.md',
  'troubleshooting.md',
  'security.md',
  'development/architecture.md',
  'development/decisions.md',
  'development/first-publish.md',
  'development/security.md',
  'development/errors.md',
  'development/reliability.md',
  'development/performance.md',
  'development/uploads.md',
  'development/dependencies.md',
]

/** docs/README.md: every page by its heading and first sentence. */
export function indexPage(pages: ReadonlyMap<string, string>): string {
  const rank = (file: string) => (ORDER.indexOf(file) + ORDER.length + 1) % (ORDER.length + 1)
  const files = [...pages.keys()].sort((one, other) => rank(one) - rank(other) || one.localeCompare(other))
  const row = (file: string) => {
    const { title, sentence } = describe(file, pages.get(file)!)
    return [`[${title}](${file})`, sentence]
  }
  const isDevelopment = (file: string) => file.startsWith('development/')
  return `# Documentation

The [README](../README.md) is enough to begin.

${table(['page', 'what it says'], files.filter(file => !isDevelopment(file)).map(row))}

## For people who work on the action

[CONTRIBUTING](../CONTRIBUTING.md) says how to build and test it. \`npm run readme\` writes this page from the others.

${table(['page', 'what it says'], files.filter(isDevelopment).map(row))}
`
}

function describe(file: string, page: string): { title: string; sentence: string } {
  const title = /^# (.+)$/m.exec(page)?.[1]
  const paragraph = page
    .split(/\n\s*\n/)
    .find(block => /^[A-Z0-9`*[]/.test(block) && !block.startsWith('<'))
    ?.replace(/\s+/g, ' ')
    // A link of a page leads from that page.
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  const sentence = paragraph === undefined ? undefined : /^.*?[.:](?= |$)/.exec(paragraph)?.[0]
  if (title === undefined || sentence === undefined)
    throw new Error(`docs/${file} has no heading, or no sentence after it, for docs/README.md.`)
  return { title, sentence: sentence.replace(/:$/, '.') }
}
