// The live page: asks for the state every second and shows it.
import { bytes, chip, count, el, find, platforms, put, short, table } from './elements.js'
import { showPhone } from './phone.js'
import { showRequests } from './requests.js'

const modes = {
  major: 'same major version only',
  minor: 'same minor version only',
  patch: 'same patch version only',
  version_number: 'from a minimum native version',
  none: 'any version',
}
let now = Date.now()

function ago(time) {
  const s = Math.max(0, (now - Date.parse(time)) / 1000)
  if (s < 5) return 'now'
  if (s < 60) return `${Math.floor(s)} s ago`
  if (s < 3600) return `${Math.floor(s / 60)} min ago`
  return s < 86400 ? `${Math.floor(s / 3600)} h ago` : `${Math.floor(s / 86400)} d ago`
}

function channelCard(channel, apps) {
  const { bundle, rollout } = channel
  const about = bundle
    ? [
        bundle.note,
        bundle.size === null ? null : bytes(bundle.size),
        bundle.files ? count(bundle.files, 'delta file') : null,
      ]
    : ['Phones keep the code of the store.']
  return el(
    'article',
    'card',
    el(
      'h3',
      '',
      channel.name,
      channel.public ? chip('public', 'accent') : null,
      apps > 1 ? chip(channel.app) : null,
    ),
    el('p', `serves ${bundle ? '' : 'none'}`, bundle ? bundle.name : 'no bundle'),
    el('p', 'about', about.filter(Boolean).join(' · ')),
    bundle?.deleted ? el('p', 'about', chip('this bundle was deleted', 'bad')) : null,
    rollout ? rolloutLine(rollout) : null,
    el(
      'p',
      'chips',
      channel.platforms.length === 3
        ? null
        : chip(`${channel.platforms.map(name => platforms[name]).join(', ') || 'no platform'} only`, 'warn'),
      chip(modes[channel.mode]),
      channel.underNative ? null : chip('below native too'),
      channel.selfAssign ? chip('phones can choose it') : null,
      channel.overrides ? chip(count(channel.overrides, 'override'), 'good') : null,
    ),
  )
}

function rolloutLine(rollout) {
  const fill = el('i', 'fill')
  fill.style.width = `${rollout.percent}%`
  const state = rollout.state === 'running' ? '' : `, ${rollout.state}`
  return el(
    'div',
    'rollout',
    `Rollout: ${rollout.percent}% get `,
    el('span', 'mono', rollout.bundle?.name ?? 'a deleted bundle'),
    state,
    el('div', 'bar', fill),
  )
}

function bundleRow(bundle) {
  const tone = { ready: 'good', 'in progress': 'warn', deleted: '' }[bundle.state]
  return el(
    'tr',
    '',
    el('td', 'mono', bundle.name),
    el('td', '', chip(bundle.state, tone)),
    el('td', 'wide', bundle.channels.join(', ') || el('span', 'soft', '–')),
    el('td', 'wide', bundle.note ?? el('span', 'soft', '–')),
    el('td', 'num', bytes(bundle.size)),
    el('td', 'soft', ago(bundle.created)),
  )
}

function deviceRows({ devices, overrides }) {
  const key = row => `${row.app} ${row.device}`
  const pinned = new Map(overrides.map(row => [key(row), row]))
  const known = new Set(devices.map(key))
  const unseen = overrides.filter(row => !known.has(key(row)))
  const rows = [
    ...unseen.map(row => ({ device: row.device, override: row, seen: row.updated })),
    ...devices.map(device => ({ ...device, override: pinned.get(key(device)) })),
  ]
  return rows.map(device =>
    el(
      'tr',
      '',
      el('td', 'mono', short(device.device)),
      el('td', '', device.override ? chip(device.override.channel, 'good') : el('span', 'soft', 'none')),
      el(
        'td',
        '',
        device.platform ? `${platforms[device.platform]} ${device.native}` : el('span', 'soft', 'never seen'),
      ),
      el('td', 'mono', device.bundle ?? ''),
      el('td', 'soft', ago(device.seen)),
    ),
  )
}

let shown = ''
function show(state) {
  now = Date.parse(state.now)
  find('clock').textContent = `${new Date(now).toISOString().replace('T', ' ').slice(0, 19)} UTC`
  const text = JSON.stringify({ ...state, now: Math.floor(now / 5000) })
  if (text === shown) return
  shown = text
  const { apps, deleteAllAttempts: attempts } = state
  put(
    'about',
    ...apps.map(app => chip(app.id, 'accent')),
    chip(`like ${state.runtime === 'edge' ? 'a self-hosted server' : 'the cloud'}`),
    ...(state.profile === 'base' ? [] : [chip(`profile ${state.profile}`)]),
    ...(attempts ? [chip(`${count(attempts, 'request')} to delete every bundle`, 'bad')] : []),
  )
  find('channel-count').textContent = state.channels.length
  const channels = state.channels.toSorted(
    (a, b) => b.public - a.public || b.updated.localeCompare(a.updated),
  )
  const none = el('p', 'card empty', 'No channels yet. Run the action against this server.')
  put('channels', ...(channels.length ? channels.map(channel => channelCard(channel, apps.length)) : [none]))
  showPhone(state)
  const rows = deviceRows(state)
  find('device-count').textContent = rows.length
  const heads = [['Device'], ['Override'], ['Native'], ['Runs'], ['Last']]
  put('devices', table(heads, rows, 'No device yet. Ask for an update with the phone.'))
  find('bundle-count').textContent = state.bundleCount
  put(
    'bundles',
    table(
      [['Name'], ['State'], ['Served by'], ['From'], ['Size', 'num'], ['Made']],
      state.bundles.map(bundleRow),
      'No bundles yet. Run the action against this server.',
    ),
  )
  showRequests(state)
}

// They scroll, also by keyboard.
for (const id of ['devices', 'bundles']) find(id).tabIndex = 0

async function poll() {
  const connection = find('connection')
  try {
    show(await (await fetch('/_local/state')).json())
    if (connection.textContent !== 'live') connection.textContent = 'live'
    connection.className = 'chip good'
  } catch {
    connection.textContent = 'not connected: the server has stopped'
    connection.className = 'chip bad'
  }
  setTimeout(poll, 1000)
}
poll()
