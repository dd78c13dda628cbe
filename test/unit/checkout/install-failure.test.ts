import { describe, expect, it } from 'vitest'
import { explainInstall } from '../../../src/checkout/install-failure.ts'

// As npm 11, pnpm 10, yarn 1.22 and 4.18, bun 1.4 and Corepack said it.
const npm = (code: string, ...lines: string[]) =>
  [`code ${code}`, ...lines, 'A complete log of this run can be found in: /root/.npm/_logs/x-debug-0.log']
    .map(line => `npm error ${line}`.trimEnd())
    .join('\n')
const berry = (...lines: string[]) =>
  [
    '➤ YN0000: · Yarn 4.18.1',
    ...lines.map(line => `➤ ${line}`),
    '➤ YN0000: · Failed with errors in 1s 360ms',
  ].join('\n')
const MISMATCH = npm(
  'EUSAGE',
  '',
  '`npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` before continuing.',
  '',
  "Invalid: lock file's left-pad@1.2.0 does not satisfy left-pad@1.3.0",
  'Missing: is-number@6.0.0 from lock file',
  '',
  'Clean install a project',
  '',
  'Usage:',
  'npm ci',
  '',
  'Options:',
  '[--install-strategy <hoisted|nested|shallow|linked>] [--legacy-bundling]',
  'aliases: clean-install, ic, install-clean, isntall-clean',
  'Run "npm help ci" for more info',
)
const COREPACK = `/usr/lib/node_modules/corepack/dist/lib/corepack.cjs:22096
Error: Cannot find matching keyid: {"signatures":[{"sig":"MEU","keyid":"SHA256:DhQ"}]}
    at verifySignature (/usr/lib/node_modules/corepack/dist/lib/corepack.cjs:21535:47)`

describe('explainInstall', () => {
  it.each([
    // The lockfile does not match.
    [
      'npm',
      MISMATCH,
      'package-lock.json does not match package.json. Run npm install and commit package-lock.json.',
    ],
    ['npm', MISMATCH.split('\n').slice(5).join('\n'), 'package-lock.json does not match'],
    [
      'pnpm',
      ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with <ROOT>/package.json',
      'pnpm-lock.yaml does not match package.json. Run pnpm install and commit pnpm-lock.yaml.',
    ],
    [
      'yarn',
      'error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.',
      'yarn.lock does not match',
    ],
    [
      'yarn@berry',
      berry(
        'YN0028: │ -"left-pad@npm:1.2.0":',
        'YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.',
      ),
      'yarn.lock does not match package.json. Run yarn install and commit yarn.lock. Use the same version of yarn',
    ],
    ['bun', 'error: lockfile had changes, but lockfile is frozen', 'bun.lock does not match'],
    // It cannot be read.
    [
      'npm',
      npm('EUSAGE', '', 'The `npm ci` command can only install with an existing package-lock.json or'),
      'package-lock.json cannot be read',
    ],
    [
      'pnpm',
      ' ERR_PNPM_BROKEN_LOCKFILE  The lockfile at "/a/pnpm-lock.yaml" is broken',
      'pnpm-lock.yaml cannot be read',
    ],
    [
      'pnpm',
      ' ERR_PNPM_LOCKFILE_BREAKING_CHANGE  Lockfile /a/pnpm-lock.yaml not compatible with current pnpm',
      'written by another version of pnpm',
    ],
    // A script of the app or of a package.
    [
      'npm',
      `> a@1.0.0 postinstall\n> node gen.js\n\nError: connect ECONNREFUSED 127.0.0.1:5432\n${npm('3', 'path /work/app', 'command failed', 'command sh -c node gen.js')}`,
      'An install script failed. See the output for its message. Pass the variables that it needs with the input build-env.',
    ],
    [
      'npm',
      npm(
        '1',
        'path /work/app/node_modules/@acme/native',
        'command failed',
        'command sh -c node-gyp rebuild',
        'gyp ERR! not ok',
      ),
      'An install script failed (@acme/native). See the output for its message. Pass the variables that it needs with the input build-env.',
    ],
    [
      'pnpm',
      'cannot generate\n ELIFECYCLE  Command failed with exit code 3.',
      'An install script failed. See the output for its message. Pass the variables that it needs with the input build-env.',
    ],
    [
      'yarn',
      '$ node gen.js\ncannot generate\nerror Command failed with exit code 3.',
      'An install script failed. See the output for its message. Pass the variables that it needs with the input build-env.',
    ],
    [
      'yarn',
      'error /work/app/node_modules/sharp: Command failed.\nExit code: 1',
      'An install script failed (sharp). See the output for its message. Pass the variables that it needs with the input build-env.',
    ],
    [
      'yarn@berry',
      berry(
        "YN0009: │ a@workspace:. couldn't be built successfully (exit code 3, logs can be found here: /tmp/xfs-8aad9490/build.log)",
      ),
      'An install script failed (a). See the output for its message. Pass the variables that it needs with the input build-env.',
    ],
    [
      'bun',
      'error: postinstall script from "a" exited with 3',
      'An install script failed (a). See the output for its message. Pass the variables that it needs with the input build-env.',
    ],
    // Registry.
    ['npm', npm('E401', '401 Unauthorized - GET https://registry.example/left-pad - no'), 'NODE_AUTH_TOKEN'],
    [
      'npm',
      npm('E403', '403 403 Forbidden - GET https://registry.example/left-pad - no'),
      'The registry rejects this job. The install sees no token by default. Pass the token of a private registry with the input build-secrets, for example NODE_AUTH_TOKEN=<token>.',
    ],
    [
      'pnpm',
      ' ERR_PNPM_FETCH_401  GET https://registry.example/left-pad: Unauthorized - 401',
      'The registry rejects this job. The install sees no token by default. Pass the token of a private registry with the input build-secrets, for example NODE_AUTH_TOKEN=<token>.',
    ],
    [
      'yarn',
      'error Error: https://registry.example/left-pad.tgz: Request failed "401 Unauthorized"',
      'The registry rejects this job. The install sees no token by default. Pass the token of a private registry with the input build-secrets, for example NODE_AUTH_TOKEN=<token>.',
    ],
    [
      'yarn@berry',
      berry('YN0041: │ abbrev@npm:5.0.0: Invalid authentication (as an anonymous user)'),
      'The registry rejects this job. The install sees no token by default. Pass the token of a private registry with the input build-secrets, for example NODE_AUTH_TOKEN=<token>.',
    ],
    [
      'bun',
      'error: GET https://registry.example/is-odd/-/is-odd-3.0.0.tgz - 401',
      'The registry rejects this job. The install sees no token by default. Pass the token of a private registry with the input build-secrets, for example NODE_AUTH_TOKEN=<token>.',
    ],
    [
      'npm',
      `npm warn EBADENGINE Unsupported engine {\nnpm warn ERESOLVE overriding peer dependency\n${npm('E404', '404 Not Found - GET https://registry.example/left-pad - no')}`,
      'does not have a package',
    ],
    [
      'pnpm',
      ' ERR_PNPM_FETCH_404  GET https://registry.example/left-pad: Not Found - 404',
      'does not have a package',
    ],
    [
      'yarn',
      'error Error: https://registry.example/left-pad.tgz: Request failed "404 Not Found"',
      'does not have a package',
    ],
    ['yarn@berry', berry('YN0035: │ abbrev@npm:5.0.0: Package not found'), 'does not have a package'],
    ['bun', 'error: GET https://registry.example/is-odd/-/is-odd-3.0.0.tgz - 404', 'does not have a package'],
    [
      'npm',
      npm('ETARGET', 'notarget No matching version found for left-pad@9.'),
      'The registry does not have the requested version of a package, which the output names. Correct package.json and the lockfile.',
    ],
    [
      'npm',
      npm('EINTEGRITY', 'Integrity checksum failed when using sha512'),
      'A downloaded package does not match package-lock.json. It was published again, or the registry changes packages. Check that the package is the right one, then update the lockfile.',
    ],
    ['npm', npm('ENOTFOUND', 'syscall getaddrinfo'), 'could not be reached'],
    ['npm', npm('SELF_SIGNED_CERT_IN_CHAIN', 'errno SELF_SIGNED_CERT_IN_CHAIN'), 'NODE_EXTRA_CA_CERTS'],
    [
      'npm',
      npm(
        '128',
        'An unknown git error occurred',
        'command git --no-replace-objects ls-remote ssh://git@github.com/acme/x.git',
        'git@github.com: Permission denied (publickey).',
      ),
      'Git repository',
    ],
    // Versions.
    [
      'npm',
      npm('ERESOLVE', 'ERESOLVE could not resolve', '', 'While resolving: a@1.0.0'),
      'Packages need versions of each other that conflict. See the output and resolve the conflict, or commit your own install setting, such as legacy-peer-deps=true in .npmrc.',
    ],
    ['npm', npm('EBADENGINE', 'engine Unsupported engine'), 'another version of Node'],
    [
      'npm',
      npm('EBADDEVENGINES', 'EBADDEVENGINES Invalid devEngines.packageManager'),
      'another version of Node or of the package manager',
    ],
    [
      'pnpm',
      ' ERR_PNPM_UNSUPPORTED_ENGINE  Unsupported environment (bad pnpm and/or Node.js version)',
      'another version of Node',
    ],
    [
      'yarn',
      'error a@1.0.0: The engine "node" is incompatible with this module. Expected version ">=99".',
      'another version of Node',
    ],
    ['npm', npm('EBADPLATFORM', 'notsup Unsupported platform for a@1.0.0'), 'system of this runner'],
    [
      'yarn',
      'error This project\'s package.json defines "packageManager": "yarn@4.1.0". However the current global version of Yarn is 1.22.22.',
      'asks for another package manager',
    ],
    ['yarn@berry', 'yarn install v1.22.22\nerror Your lockfile needs to be updated', 'Yarn 1 ran'],
    ['pnpm', ' ERROR  This project is configured to use yarn', 'asks for another package manager'],
    [
      'pnpm',
      COREPACK,
      'Corepack could not download pnpm. Install it without Corepack in an earlier step (uses: pnpm/action-setup), or update Corepack (run: npm install -g corepack@latest).',
    ],
    [
      'npm',
      npm('EALLOWSCRIPTS', 'sharp'),
      'npm does not run install scripts that package.json does not allow. Allow the packages that the output names, and commit that.',
    ],
    ['bun', 'error: failed to download left-pad@1.2.0: 404 Not Found', 'does not have a package'],
    // Nobody knows.
    [
      'npm',
      npm('EWHATEVER', 'well'),
      'See the output for the cause. The install sees no token by default. Pass the token of a private registry with the input build-secrets, for example NODE_AUTH_TOKEN=<token>.',
    ],
    [
      'bun',
      'Segmentation fault',
      'See the output for the cause. The install sees no token by default. Pass the token of a private registry with the input build-secrets, for example NODE_AUTH_TOKEN=<token>.',
    ],
  ] as const)('%s (%#)', (agent, said, hint) => {
    const name = agent === 'yarn@berry' ? 'yarn' : agent
    const lockfile = { npm: 'package-lock.json', pnpm: 'pnpm-lock.yaml', yarn: 'yarn.lock', bun: 'bun.lock' }[
      name
    ]
    const explained = explainInstall({ name, agent }, said, lockfile)
    expect(explained.hint).toContain(hint)
    if (!hint.includes('does not match')) expect(explained.hint).not.toContain('does not match package.json')
  })

  it("shows npm's lines that name packages, and not its usage", () => {
    const { output } = explainInstall({ name: 'npm', agent: 'npm' }, MISMATCH, 'package-lock.json')
    expect(output.split('\n').slice(-2)).toEqual([
      "npm error Invalid: lock file's left-pad@1.2.0 does not satisfy left-pad@1.3.0",
      'npm error Missing: is-number@6.0.0 from lock file',
    ])
  })
})
