// Elements of the page. Everything shown goes in as text, never as HTML.

export const find = id => document.getElementById(id)

export function el(tag, className, ...children) {
  const node = document.createElement(tag)
  if (className) node.className = className
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child)
  return node
}

export const chip = (text, tone = '') => el('span', `chip ${tone}`, text)

/** Focus is kept by `data-key`. */
export function put(id, ...children) {
  const key = document.activeElement?.closest('[data-key]')?.dataset.key
  find(id).replaceChildren(...children)
  if (key)
    find(id)
      .querySelector(`[data-key="${CSS.escape(key)}"]`)
      ?.focus()
}

export function table(heads, rows, nothing) {
  if (rows.length === 0) return el('p', 'empty', nothing)
  const head = heads.map(([name, className]) => el('th', className, name))
  return el('table', '', el('thead', '', el('tr', '', head)), el('tbody', '', rows))
}

export const platforms = { ios: 'iOS', android: 'Android', electron: 'Electron' }

export const short = id => (id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id)

export function bytes(n) {
  if (n === null) return '–'
  if (n < 1000) return `${n} B`
  return n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`
}

export const count = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`
