/** Output of failed web builds by tool; the stacks are shortened. */
import { describe, expect, it } from 'vitest'
import { findErrorLine } from '../../../src/report/build-error.ts'

const E = '\u001b'

const outputs: Readonly<Record<string, readonly [output: string, line: string]>> = {
  'Vite 7, not exported': [
    `> shop@1.4.0 vite
> vite build

vite v7.3.8 building client environment for production...
transforming...
✓ 4 modules transformed.
✗ Build failed in 34ms
error during build:
src/main.js (1:9): "formatPrice" is not exported by "src/money.js", imported by "src/main.js".
file: /tmp/outputs/src/main.js:1:9

1: import { formatPrice } from './money.js'
            ^
    at getRollupError (file:///tmp/outputs/node_modules/rollup/dist/es/shared/parseAst.js:355:41)`,
    'src/main.js (1:9): "formatPrice" is not exported by "src/money.js", imported by "src/main.js".',
  ],
  'Vite 7, file not there': [
    `✗ Build failed in 30ms
error during build:
Could not resolve "./gone.js" from "src/main.js"
file: /tmp/outputs/src/main.js
    at getRollupError (file:///tmp/outputs/node_modules/rollup/dist/es/shared/parseAst.js:355:41)`,
    'Could not resolve "./gone.js" from "src/main.js"',
  ],
  'Vite 8, Rolldown, in colours': [
    `vite v8.3.8 building client environment for production...
✗ Build failed in 136ms
error during build:
Build failed with 1 error:

${E}[31m[MISSING_EXPORT] ${E}[0m"formatPrice" is not exported by "src/money.js".
   ${E}[38;5;246m╭${E}[0m${E}[38;5;246m─${E}[0m${E}[38;5;246m[${E}[0m src/main.js:1:10 ${E}[38;5;246m]${E}[0m
    at aggregateBindingErrorsIntoJsError (file:///shop/node_modules/rolldown/dist/shared/error-CLo6EJKG.mjs:50:18)`,
    '[MISSING_EXPORT] "formatPrice" is not exported by "src/money.js".',
  ],
  'Vite 4, package not there, said twice': [
    `vite v4.4.8 building SSR bundle for production...
✓ 223 modules transformed.
✓ built in 15.20s
[vite]: Rollup failed to resolve import "@datasert/cronjs-parser" from "src/lib/transaction_sequence.ts".
This is most likely unintended because it can break your application at runtime.
error during build:
Error: [vite]: Rollup failed to resolve import "@datasert/cronjs-parser" from "src/lib/transaction_sequence.ts".
    at viteWarn (file:///C:/shop/node_modules/vite/dist/node/chunks/dep-75f53616.js:48093:27)`,
    'Error: [vite]: Rollup failed to resolve import "@datasert/cronjs-parser" from "src/lib/transaction_sequence.ts".',
  ],
  'Vite, TypeScript that esbuild cannot parse, on a runner': [
    `✗ Build failed in 68ms
error during build:
[vite:esbuild] Transform failed with 1 error:
/home/runner/work/shop/shop/app/src/a.ts:1:9: ERROR: Unexpected "="
file: /home/runner/work/shop/shop/app/src/a.ts:1:9

Unexpected "="
1  |  const x: =
    at failureErrorWithLog (/tmp/outputs/node_modules/esbuild/lib/main.js:1752:15)`,
    'app/src/a.ts:1:9: ERROR: Unexpected "="',
  ],
  'Vite, its config': [
    `failed to load config from /tmp/outputs/bad.config.js
error during build:
Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'no-such-package' imported from /tmp/outputs/bad.config.js
    at packageResolve (node:internal/modules/esm/resolve:873:9)`,
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'no-such-package' imported from /tmp/outputs/bad.config.js",
  ],
  'Vite, Vue': [
    `✗ Build failed in 94ms
error during build:
[vite:vue] [plugin vite:vue] src/App.vue (4:14): Interpolation end sign was not found.
file: /tmp/outputs/src/App.vue:4:14
SyntaxError: [plugin vite:vue] src/App.vue (4:14): Interpolation end sign was not found.`,
    '[vite:vue] [plugin vite:vue] src/App.vue (4:14): Interpolation end sign was not found.',
  ],
  'Vite, Svelte': [
    `8:41:43 PM [vite-plugin-svelte] no Svelte config found at /tmp/outputs - using default configuration.
✗ Build failed in 115ms
error during build:
[vite-plugin-svelte:compile] [plugin vite-plugin-svelte:compile] src/App.svelte (5:0): \`<p>\` was left open
https://svelte.dev/e/element_unclosed`,
    '[vite-plugin-svelte:compile] [plugin vite-plugin-svelte:compile] src/App.svelte (5:0): `<p>` was left open',
  ],
  'Rollup, in colours': [
    `${E}[36m
${E}[1msrc/main.js${E}[22m → ${E}[1mstdout${E}[22m...${E}[39m
${E}[1m${E}[31m[!] ${E}[1mRollupError: src/main.js (1:9): "formatPrice" is not exported by "src/money.js", imported by "src/main.js".${E}[22m${E}[1m${E}[39m${E}[22m
${E}[36mhttps://rollupjs.org/troubleshooting/#error-name-is-not-exported-by-module${E}[39m
src/main.js (1:9)
${E}[2m    at getRollupError (/tmp/outputs/node_modules/rollup/dist/shared/parseAst.js:326:41)`,
    'RollupError: src/main.js (1:9): "formatPrice" is not exported by "src/money.js", imported by "src/main.js".',
  ],
  tsc: [
    `> shop@1.4.0 build
> tsc && vite build

src/total.ts(1,14): error TS2322: Type 'string' is not assignable to type 'number'.`,
    "src/total.ts(1,14): error TS2322: Type 'string' is not assignable to type 'number'.",
  ],
  'tsc, pretty': [
    `${E}[96msrc/total.ts${E}[0m:${E}[93m1${E}[0m:${E}[93m14${E}[0m - ${E}[91merror${E}[0m${E}[90m TS2322: ${E}[0mType 'string' is not assignable to type 'number'.

${E}[7m1${E}[0m export const total: number = "x"

Found 1 error in src/total.ts${E}[90m:1${E}[0m`,
    "src/total.ts:1:14 - error TS2322: Type 'string' is not assignable to type 'number'.",
  ],
  'vue-tsc': [
    `src/App.vue(2,7): error TS2322: Type 'string' is not assignable to type 'number'.
src/total.ts(1,14): error TS2322: Type 'string' is not assignable to type 'number'.`,
    "src/App.vue(2,7): error TS2322: Type 'string' is not assignable to type 'number'.",
  ],
  'svelte-check': [
    `Loading svelte-check in workspace: /tmp/outputs
Getting Svelte diagnostics...

/home/runner/work/shop/shop/src/App.svelte:2:7
Error: Type 'string' is not assignable to type 'number'. (ts)
<script lang="ts">
  let x: number = "a"
</script>

====================================
svelte-check found 2 errors and 0 warnings in 2 files`,
    "src/App.svelte:2:7: Error: Type 'string' is not assignable to type 'number'. (ts)",
  ],
  webpack: [
    `assets by status 252 bytes [cached] 1 asset
./src/main.js 45 bytes [built] [code generated]

ERROR in ./src/main.js 1:0-29
Module not found: Error: Can't resolve './gone.js' in '/tmp/outputs/src'
resolve './gone.js' in '/tmp/outputs/src'
  using description file: /tmp/outputs/package.json (relative path: ./src)

webpack 5.113.0 compiled with 1 error in 333 ms`,
    "./src/main.js: Module not found: Error: Can't resolve './gone.js' in '/tmp/outputs/src'",
  ],
  'webpack, ts-loader': [
    `ERROR in /tmp/outputs/src/total.ts
./src/total.ts 1:13-18
[tsl] ERROR in /tmp/outputs/src/total.ts(1,14)
      TS2322: Type 'string' is not assignable to type 'number'.

webpack 5.113.0 compiled with 1 error in 1333 ms`,
    "/tmp/outputs/src/total.ts(1,14): TS2322: Type 'string' is not assignable to type 'number'.",
  ],
  'create-react-app': [
    `Creating an optimized production build...
Failed to compile.

./src/reportWebVitals.js
Module not found: Can't resolve 'web-vitals' in '/shop/src'


error Command failed with exit code 1.
info Visit https://yarnpkg.com/en/docs/cli/run for documentation about this command.`,
    "./src/reportWebVitals.js: Module not found: Can't resolve 'web-vitals' in '/shop/src'",
  ],
  'Vue CLI': [
    ` ERROR  Failed to compile with 1 error                                  10:15:04 AM

 error  in ./src/views/Cart.vue

Syntax Error: /shop/src/views/Cart.vue: Unexpected token (21:4)
`,
    './src/views/Cart.vue: Syntax Error: /shop/src/views/Cart.vue: Unexpected token (21:4)',
  ],
  'Angular, esbuild': [
    `❯ Building...
✔ Building...
Application bundle generation failed. [4.201 seconds]

✘ [ERROR] TS2339: Property 'totl' does not exist on type 'Cart'. [plugin angular-compiler]

    src/app/cart/cart.component.ts:18:24:
      18 │     return this.cart.totl
         ╵                      ~~~~
`,
    "[ERROR] TS2339: Property 'totl' does not exist on type 'Cart'. [plugin angular-compiler]",
  ],
  'Angular, webpack': [
    `✖ Failed to generate browser bundle
Error: src/app/cart/cart.component.ts:18:24 - error TS2339: Property 'totl' does not exist on type 'Cart'.

18     return this.cart.totl
                        ~~~~
`,
    "Error: src/app/cart/cart.component.ts:18:24 - error TS2339: Property 'totl' does not exist on type 'Cart'.",
  ],
  'Angular CLI': [
    `An unhandled exception occurred: Cannot find module '@angular/build'
See "/tmp/ng-x/angular-errors.log" for further details.`,
    "An unhandled exception occurred: Cannot find module '@angular/build'",
  ],
  esbuild: [
    `> esbuild src/main.js --bundle

✘ [ERROR] Could not resolve "./gone.js"

    src/main.js:1:18:
      1 │ import { a } from './gone.js'
        ╵                   ~~~~~~~~~~~

1 error`,
    '[ERROR] Could not resolve "./gone.js"',
  ],
  'Nuxt 3': [
    `Nuxt CLI v3.0.0-27480376.fdd38f9                             11:02:23
ℹ Merging Tailwind config from ~/tailwind.config.js          nuxt:tailwindcss 11:02:25

 ERROR  [vite]: Rollup failed to resolve import "#_config" from ".nuxt/paths.mjs".    11:02:26
This is most likely unintended because it can break your application at runtime.`,
    'ERROR  [vite]: Rollup failed to resolve import "#_config" from ".nuxt/paths.mjs".    11:02:26',
  ],
  'Nuxt 4': [
    `✗ Build failed in 1.02s

[10:15:08 AM]  ERROR  Nuxt Build Error: [vite:vue] app/app.vue (4:14): Interpolation end sign was not found.
file: /shop/app/app.vue:4:14`,
    '[10:15:08 AM]  ERROR  Nuxt Build Error: [vite:vue] app/app.vue (4:14): Interpolation end sign was not found.',
  ],
  'Quasar, webpack': [
    ` App •  WAIT  • Compiling of "UI" in progress...

 App •  ERROR  • UI  in ./src/pages/Cart.vue

Module not found: Can't resolve imported dependency "./gone"

 App • ⚠️  COMPILATION FAILED  • Please check the log above for details.
`,
    './src/pages/Cart.vue: Module not found: Can\'t resolve imported dependency "./gone"',
  ],
  'Quasar, its config': [
    `
 App • ⚠️  FAIL  quasar.config file has JS errors. Please check the log above.
`,
    'App • ⚠️  FAIL  quasar.config file has JS errors. Please check the log above.',
  ],
  'a script that throws, npm': [
    `> shop@1.4.0 build
> node build.js

going
file:///tmp/outputs/throw.js:2
function a() { return undefined.x }
                                ^

TypeError: Cannot read properties of undefined (reading 'x')
    at a (file:///tmp/outputs/throw.js:2:33)

Node.js v20.20.2
npm error Lifecycle script \`build\` failed with error:
npm error code 1
npm error path /tmp/outputs
npm error workspace shop@1.4.0
npm error location /tmp/outputs
npm error command failed
npm error command sh -c node build.js`,
    "TypeError: Cannot read properties of undefined (reading 'x')",
  ],
  'a script that throws, pnpm': [
    `going
Error: No such word: good afternoon
    at main (file:///tmp/outputs/throw.js:2:33)

Node.js v20.20.2
 ELIFECYCLE  Command failed with exit code 1.`,
    'Error: No such word: good afternoon',
  ],
  'no memory': [
    `<--- Last few GCs --->
[28139:0x279cae20]       96 ms: Mark-Compact 16.0 (24.3) -> 15.5 (32.3) MB
<--- JS stacktrace --->
FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
----- Native stack trace -----
 1: 0xb78db3 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]`,
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  ],
  'npm, no such script': [
    `npm error Missing script: "nothing"
npm error
npm error To see a list of scripts, run:
npm error   npm run
npm error A complete log of this run can be found in: /root/.npm/_logs/debug-0.log`,
    'npm error Missing script: "nothing"',
  ],
  'npm, lockfile': [
    `npm error code EUSAGE
npm error
npm error \`npm ci\` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with \`npm install\` before continuing.
npm error
npm error Invalid: lock file's semver@7.8.6 does not satisfy semver@6.3.2`,
    'npm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` before continuing.',
  ],
  'npm 6': [
    `npm ERR! code ELIFECYCLE
npm ERR! errno 2
npm ERR! shop@1.4.0 build: \`node-sass src\`
npm ERR! Exit status 2
npm ERR!
npm ERR! Failed at the shop@1.4.0 build script.
sh: 1: node-sass: not found`,
    'sh: 1: node-sass: not found',
  ],
  'npm, registry': [
    `npm error code E404
npm error 404 Not Found - GET https://registry.example/@acme%2fno-such
npm error 404
npm error 404  The requested resource '@acme/no-such@^6.0.0' could not be found or you do not have permission to access it.`,
    'npm error 404 Not Found - GET https://registry.example/@acme%2fno-such',
  ],
  pnpm: [
    ` ERR_PNPM_NO_SCRIPT  Missing script: nothing

Command "nothing" not found. Did you mean "pnpm run none"?`,
    'ERR_PNPM_NO_SCRIPT  Missing script: nothing',
  ],
  'yarn 1, no such script': [
    `yarn run v1.22.22
error Command "nothing" not found.
info Visit https://yarnpkg.com/en/docs/cli/run for documentation about this command.`,
    'error Command "nothing" not found.',
  ],
  'yarn 1, no such program': [
    `yarn run v1.22.22
$ vitee build
/bin/sh: 1: vitee: not found
error Command failed with exit code 127.
info Visit https://yarnpkg.com/en/docs/cli/run for documentation about this command.`,
    '/bin/sh: 1: vitee: not found',
  ],
  'yarn 4': [
    `➤ YN0000: · Yarn 4.9.1
➤ YN0000: ┌ Resolution step
➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.
➤ YN0000: └ Completed
➤ YN0000: · Failed with errors in 0s 114ms`,
    '➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.',
  ],
  'bun, no such script': [`error: Script not found "nothing"`, 'error: Script not found "nothing"'],
  'bun, build': [
    `1 | import { a } from './gone.js'
                      ^
error: Could not resolve: "./gone.js"
    at /tmp/outputs/src/m.js:1:19
error: script "build" exited with code 1`,
    'error: Could not resolve: "./gone.js"',
  ],
  'nothing that is known: the last line that says something': [
    'copying files\nthe disk is on fire\nnpm error code 1\n\n',
    'the disk is on fire',
  ],
  'nothing but noise': ['error Command failed with exit code 1.', 'error Command failed with exit code 1.'],
}

describe('the line that says the error', () => {
  it.each(Object.entries(outputs))('of %s', (_, [output, line]) => {
    expect(findErrorLine(output)).toBe(line)
  })
  it('is none in an empty output', () => expect(findErrorLine(' \n\n')).toBeNull())
  it('is found in 10 MB within a second', () => {
    const long = `${'ERROR in '.repeat(20)}${'a.'.repeat(50_000)}\n`.repeat(100)
    const began = performance.now()
    findErrorLine(long)
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})
