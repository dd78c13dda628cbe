/** Why an install failed, by what its package manager says of it. Pure. */
import type { PackageManager } from './package-manager.ts'

type Manager = Pick<PackageManager, 'name' | 'agent'>

interface Cause {
  /** Messages of package managers: npm, pnpm, yarn 1, yarn 2 and later, bun, Corepack. */
  readonly pattern: RegExp
  readonly hint: (manager: Manager, lockfile: string, match: RegExpExecArray) => string
}

const REGISTRY_TOKEN =
  'The install sees no token by default. Pass the token of a private registry with the input build-secrets, for example NODE_AUTH_TOKEN=<token>.'

/** The first that fits counts. */
const CAUSES: readonly Cause[] = [
  {
    // Corepack itself, and a manager that is not the one, or not of the version, that package.json names.
    pattern:
      /\bcorepack\/dist\/|Cannot find matching keyid|No compatible signature|Error when performing the request to .*corepack/i,
    hint: ({ name }) =>
      `Corepack could not download ${name}. Install it without Corepack in an earlier step (${SETUP[name]}), or update Corepack (run: npm install -g corepack@latest).`,
  },
  {
    pattern:
      /defines "packageManager"|This project is configured to use|ERR_PNPM_(BAD_PM_VERSION|OTHER_PM_EXPECTED)|YN0051|packageManager.*(mismatch|does not match)/i,
    hint: ({ name }) =>
      `package.json asks for another package manager, or another version, than the one that ran. Install it in an earlier step (${SETUP[name]}), or correct "packageManager".`,
  },
  {
    pattern:
      /Permission denied \(publickey\)|Host key verification failed|could not read Username for|fatal: .*[Rr]epository .*not found/,
    hint: () =>
      'A dependency comes from a Git repository that this job cannot read. Give the job access to it in an earlier step.',
  },
  {
    pattern:
      /^npm error command (?:failed|sh )|ELIFECYCLE|Command failed(?: with exit code|\.$)|YN0009|\bscript from "[^"]+" exited/m,
    hint: (_, __, { input }) =>
      `An install script failed${scriptOwner(input)}. See the output for its message. Pass the variables that it needs with the input build-env.`,
  },
  {
    pattern:
      /(?:EBADDEVENGINES|EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE|The engine "\w+" is (?:incompatible|invalid))/,
    hint: () =>
      'The repository asks for another version of Node or of the package manager. Install that version in an earlier step, for example uses: actions/setup-node with node-version.',
  },
  {
    pattern:
      /EBADPLATFORM|ERR_PNPM_UNSUPPORTED_PLATFORM|The platform "\w+" is incompatible|The CPU architecture "\w+" is incompatible/,
    hint: () =>
      'A package does not support the system of this runner. Make it an optional dependency, or use another runner.',
  },
  {
    pattern:
      /can only install with an existing package-lock|ERR_PNPM_(BROKEN_LOCKFILE|LOCKFILE_BREAKING_CHANGE|NO_LOCKFILE)|error (?:Unknown token|Invalid value type)|merge conflict in .*yarn\.lock|YN0014|(?:Failed to parse|Outdated|Unknown) lockfile|InvalidLockfile/i,
    hint: ({ name }, lockfile) =>
      `${lockfile} cannot be read. It is damaged, has a merge conflict, or was written by another version of ${name}. Run ${name} install with the version of the job, and commit ${lockfile}.`,
  },
  {
    pattern:
      /npm ci` can only install packages when|^npm error (?:Missing|Invalid): .*lock file|ERR_PNPM_(?:OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH)|Your lockfile needs to be updated|YN0028|lockfile had changes, but lockfile is frozen/m,
    hint: ({ name, agent }, lockfile) =>
      `${lockfile} does not match package.json. Run ${name} install and commit ${lockfile}.${agent === 'yarn@berry' ? ' Use the same version of yarn as the job.' : ''}`,
  },
  {
    pattern: /\bERESOLVE\b|ERR_PNPM_PEER_DEP_ISSUES/,
    hint: () =>
      'Packages need versions of each other that conflict. See the output and resolve the conflict, or commit your own install setting, such as legacy-peer-deps=true in .npmrc.',
  },
  {
    pattern: /EALLOWSCRIPTS|ERR_PNPM_IGNORED_BUILDS/,
    hint: ({ name }) =>
      `${name} does not run install scripts that package.json does not allow. Allow the packages that the output names, and commit that.`,
  },
  {
    pattern:
      /\bE40[13]\b|ENEEDAUTH|ERR_PNPM_FETCH_40[13]|Request failed \\?"40[13]|YN0041|- 40[13]$|401 Unauthorized|403 Forbidden/m,
    hint: () => `The registry rejects this job. ${REGISTRY_TOKEN}`,
  },
  {
    pattern:
      /\bE404\b|ERR_PNPM_FETCH_404|Request failed \\?"404|Couldn't find package|YN0035|- 404$|: 404 Not Found|package "[^"]+" not found/m,
    hint: () =>
      `The registry does not have a package of the lockfile, which the output names. Without a token, a private package is not found either. ${REGISTRY_TOKEN}`,
  },
  {
    pattern:
      /\bETARGET\b|ERR_PNPM_NO_MATCHING_VERSION|Couldn't find any versions for|YN0082|No version matching/,
    hint: () =>
      'The registry does not have the requested version of a package, which the output names. Correct package.json and the lockfile.',
  },
  {
    pattern: /EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|Integrity check failed|YN0018/,
    hint: (_, lockfile) =>
      `A downloaded package does not match ${lockfile}. It was published again, or the registry changes packages. Check that the package is the right one, then update the lockfile.`,
  },
  {
    pattern:
      /SELF_SIGNED_CERT|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_HAS_EXPIRED|self[- ]signed certificate|unable to (?:get local issuer|verify)/i,
    hint: () =>
      'The runner does not trust the certificate of the registry. Set NODE_EXTRA_CA_CERTS in "env:" of this step to the file of its authority.',
  },
  {
    pattern:
      /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ESOCKETTIMEDOUT|ConnectionRefused|ConnectionClosed)\b|ERR_PNPM_META_FETCH_FAIL|There appears to be trouble with your network/,
    hint: () =>
      'The registry could not be reached. Re-run the job. Behind a proxy, set HTTPS_PROXY in "env:" of this step.',
  },
  {
    pattern: /\bENOSPC\b|No space left on device/i,
    hint: () => 'The disk of the runner is full. Free some space in an earlier step.',
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
      hint: 'Yarn 1 ran, but this repository uses a later version. Add an earlier step (run: corepack enable), and set "packageManager" in package.json to the version.',
      output,
    }
  const errors = withoutWarnings(log)
  for (const { pattern, hint } of CAUSES) {
    const match = pattern.exec(errors)
    if (match !== null) return { hint: hint(manager, lockfile, match), output }
  }
  return { hint: `See the output for the cause. ${REGISTRY_TOKEN}`, output }
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
