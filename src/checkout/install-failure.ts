/** Why an install failed, by what its package manager says of it. Pure. */
import type { PackageManager } from './package-manager.ts'

type Manager = Pick<PackageManager, 'name' | 'agent'>

interface Cause {
  /** What the managers say: npm, pnpm, yarn 1, yarn 2 and later, bun, Corepack. */
  readonly pattern: RegExp
  readonly hint: (manager: Manager, lockfile: string, match: RegExpExecArray) => string
}

const REGISTRY_TOKEN =
  'The install gets no token by itself: pass that of a private registry with the input build-secrets, for example NODE_AUTH_TOKEN=<token>.'

/** The first that fits counts. */
const CAUSES: readonly Cause[] = [
  {
    // Corepack itself, and a manager that is not the one, or not of the version, that package.json names.
    pattern:
      /\bcorepack\/dist\/|Cannot find matching keyid|No compatible signature|Error when performing the request to .*corepack/i,
    hint: ({ name }) =>
      `Corepack could not get ${name}. Add a step before this action that installs it without Corepack: ${SETUP[name]}; or update Corepack: run: npm install -g corepack@latest.`,
  },
  {
    pattern:
      /defines "packageManager"|This project is configured to use|ERR_PNPM_(BAD_PM_VERSION|OTHER_PM_EXPECTED)|YN0051|packageManager.*(mismatch|does not match)/i,
    hint: ({ name }) =>
      `package.json asks for another package manager, or another version of it, than the one that ran. Install that one in a step before this action (${SETUP[name]}), or correct "packageManager".`,
  },
  {
    pattern:
      /Permission denied \(publickey\)|Host key verification failed|could not read Username for|fatal: .*[Rr]epository .*not found/,
    hint: () =>
      'A dependency comes from a Git repository that this job cannot read. Give the job access to it in a step before this action.',
  },
  {
    pattern:
      /^npm error command (?:failed|sh )|ELIFECYCLE|Command failed(?: with exit code|\.$)|YN0009|\bscript from "[^"]+" exited/m,
    hint: (_, __, { input }) =>
      `A script that the install runs failed${scriptOwner(input)}: its own words stand in the output. Pass the variables that it needs with the input build-env.`,
  },
  {
    pattern:
      /(?:EBADDEVENGINES|EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE|The engine "\w+" is (?:incompatible|invalid))/,
    hint: () =>
      'The repository asks for another version of Node or of the package manager. Install that version in a step before this action, for example uses: actions/setup-node with node-version.',
  },
  {
    pattern:
      /EBADPLATFORM|ERR_PNPM_UNSUPPORTED_PLATFORM|The platform "\w+" is incompatible|The CPU architecture "\w+" is incompatible/,
    hint: () =>
      'A package is not made for the system of this runner. Make it an optional dependency, or use another runner.',
  },
  {
    pattern:
      /can only install with an existing package-lock|ERR_PNPM_(BROKEN_LOCKFILE|LOCKFILE_BREAKING_CHANGE|NO_LOCKFILE)|error (?:Unknown token|Invalid value type)|merge conflict in .*yarn\.lock|YN0014|(?:Failed to parse|Outdated|Unknown) lockfile|InvalidLockfile/i,
    hint: ({ name }, lockfile) =>
      `${lockfile} cannot be read: it is broken, has a conflict of a merge in it, or was written by another version of ${name}. Run ${name} install with the version that the job uses, and commit ${lockfile}.`,
  },
  {
    pattern:
      /npm ci` can only install packages when|^npm error (?:Missing|Invalid): .*lock file|ERR_PNPM_(?:OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH)|Your lockfile needs to be updated|YN0028|lockfile had changes, but lockfile is frozen/m,
    hint: ({ name, agent }, lockfile) =>
      `${lockfile} does not match package.json: run ${name} install and commit ${lockfile}.${agent === 'yarn@berry' ? ' Use the version of yarn that the job uses.' : ''}`,
  },
  {
    pattern: /\bERESOLVE\b|ERR_PNPM_PEER_DEP_ISSUES/,
    hint: () =>
      'Packages ask for versions of one another that do not go together: see the output. Resolve them, or commit what your own install needs, such as legacy-peer-deps=true in .npmrc.',
  },
  {
    pattern: /EALLOWSCRIPTS|ERR_PNPM_IGNORED_BUILDS/,
    hint: ({ name }) =>
      `${name} does not run the install scripts of packages that package.json does not allow: see the output, allow them, and commit that.`,
  },
  {
    pattern:
      /\bE40[13]\b|ENEEDAUTH|ERR_PNPM_FETCH_40[13]|Request failed \\?"40[13]|YN0041|- 40[13]$|401 Unauthorized|403 Forbidden/m,
    hint: () => `The registry refuses this job. ${REGISTRY_TOKEN}`,
  },
  {
    pattern:
      /\bE404\b|ERR_PNPM_FETCH_404|Request failed \\?"404|Couldn't find package|YN0035|- 404$|: 404 Not Found|package "[^"]+" not found/m,
    hint: () =>
      `The registry does not have a package of the lockfile: see the output. A private one is not found either without a token. ${REGISTRY_TOKEN}`,
  },
  {
    pattern:
      /\bETARGET\b|ERR_PNPM_NO_MATCHING_VERSION|Couldn't find any versions for|YN0082|No version matching/,
    hint: () =>
      'The registry does not have the version of a package that is asked for: see the output. Correct package.json and the lockfile.',
  },
  {
    pattern: /EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|Integrity check failed|YN0018/,
    hint: (_, lockfile) =>
      `What the registry gave is not what ${lockfile} says: a package that was published again, or a registry that changes packages. Make sure that it is the right one, then update the lockfile.`,
  },
  {
    pattern:
      /SELF_SIGNED_CERT|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_HAS_EXPIRED|self[- ]signed certificate|unable to (?:get local issuer|verify)/i,
    hint: () =>
      'The certificate of the registry is not trusted here. Set NODE_EXTRA_CA_CERTS in env: on this step to the file of its authority.',
  },
  {
    pattern:
      /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ESOCKETTIMEDOUT|ConnectionRefused|ConnectionClosed)\b|ERR_PNPM_META_FETCH_FAIL|There appears to be trouble with your network/,
    hint: () =>
      'The registry could not be reached. Run the job again; behind a proxy set HTTPS_PROXY in env: on this step.',
  },
  {
    pattern: /\bENOSPC\b|No space left on device/i,
    hint: () => 'The disk of the runner is full. Free some of it in a step before this action.',
  },
]

/** Steps that bring a package manager. */
export const SETUP: Readonly<Record<PackageManager['name'], string>> = {
  npm: 'uses: actions/setup-node',
  pnpm: 'uses: pnpm/action-setup',
  yarn: 'run: corepack enable',
  bun: 'uses: oven-sh/setup-bun',
}

/** Why, and what to do; `output` is the log without what helps nobody. `lockfile` is relative to the checkout. */
export function explainInstall(
  manager: Manager,
  log: string,
  lockfile: string,
): { hint: string; output: string } {
  const output = withoutUsage(log)
  // Yarn 1, which runners have, knows nothing of the lockfiles of later ones.
  if (manager.agent === 'yarn@berry' && /^yarn install v1\./m.test(log))
    return {
      hint: 'Yarn 1 ran, and this repository is of a later one. Add a step before this action: run: corepack enable; and name the version as "packageManager" in package.json.',
      output,
    }
  const errors = withoutWarnings(log)
  for (const { pattern, hint } of CAUSES) {
    const match = pattern.exec(errors)
    if (match !== null) return { hint: hint(manager, lockfile, match), output }
  }
  return { hint: `The output says why. ${REGISTRY_TOKEN}`, output }
}

/** npm follows a lockfile that does not match with 80 lines of usage, and names a log that the job does not keep. */
function withoutUsage(log: string): string {
  const lines = log.split('\n')
  const usage = lines.findIndex(line => /^npm (?:error|ERR!) (?:Clean install a project|Usage:)$/.test(line))
  const kept = usage < 0 ? lines : lines.slice(0, usage)
  return kept
    .filter(
      line =>
        !/^npm (?:error|ERR!) (?:A complete log of this run|For a full report|.*-(?:report\.txt|debug-0\.log)$)/.test(
          line,
        ),
    )
    .join('\n')
    .replace(/(?:\nnpm (?:error|ERR!) *)+$/, '')
}

/** They name the codes of errors, too. npm's own words alone say why it failed. */
function withoutWarnings(log: string): string {
  const lines = log.split('\n')
  const isNpm = lines.some(line => /^npm (?:error|ERR!) /.test(line))
  return lines
    .filter(line =>
      isNpm ? /^npm (?:error|ERR!)/.test(line) : !/^(?:npm warn|warning |\s*WARN\b)/i.test(line),
    )
    .map(line => line.replace(/^npm ERR!/, 'npm error'))
    .join('\n')
}

function scriptOwner(log: string): string {
  const name =
    /^npm error path .*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/\n]+)$/m.exec(log)?.[1] ??
    /\bscript from "([^"]+)" exited/.exec(log)?.[1] ??
    /YN0009: [│|] (\S+?)@\S+ couldn't be built/.exec(log)?.[1] ??
    /^error \S*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/:\n]+): Command failed/m.exec(log)?.[1]
  return name === undefined ? '' : ` (${name})`
}
