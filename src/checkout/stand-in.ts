/** Stand-ins for packages that a Capacitor config imports and that are not installed. Pure. */

/** What Quasar's template imports; it adds the default web folder, which is Capacitor's, and nothing else asked here. */
export const QUASAR = '@quasar/app-vite/capacitor'

/** Code of a value for any use. Used as text or as a list it throws that the package is missing. */
export function standInFor(specifier: string): string {
  if (specifier === QUASAR)
    return 'const any = { defineCapacitorConfig: input => (typeof input === "function" ? input() : input) }'
  return `const fail = () => { throw Object.assign(new Error(${JSON.stringify(`Cannot find module '${specifier}'`)}), { code: 'MODULE_NOT_FOUND' }) }
const any = new Proxy(function () {}, {
  get: (_, key) => key === '__esModule' ? true : key === 'toJSON' ? () => ({}) : key === 'then' ? undefined
    : key === Symbol.toPrimitive || key === Symbol.iterator ? fail : typeof key === 'symbol' ? undefined : any,
  apply: () => any, construct: () => any,
})`
}

/** An ES module needs to have the names that are imported from it. */
export function exportsFor(specifier: string, sources: Iterable<string>): string {
  const names = new Set<string>()
  for (const text of sources)
    for (const [, list = '', from] of text.matchAll(/\{([^{}]*)\}\s*from\s*['"]([^'"]+)['"]/g))
      if (from === specifier)
        for (const name of list.split(',')) names.add(name.trim().replace(/\s+as\s+.*$/s, ''))
  const own = [...names].filter(name => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default')
  return `\nexport default any\n${own.map(name => `const $${name} = any.${name}; export { $${name} as ${name} }`).join('\n')}`
}
