// A phone with the app: it asks the real /updates route, and the page says in words what it gets or which rule refuses it.
import { bytes, el, find, platforms, put } from './elements.js'

/** Of the plugin in the app. */
const PLUGIN = '8.51.23'
const BUILT_IN = 'builtin'

const form = find('phone')
let state = null
/** Name of the bundle that runs. */
let runs = BUILT_IN

/** The rules of Capgo's server by their codes. */
const rules = {
  no_bundle: () => 'The channel serves a bundle without content.',
  no_new_version_available: ({ version }) =>
    runs === BUILT_IN
      ? `The bundle is named like the native version (${version}), so phones with that version have it already.`
      : 'It runs what its channel serves.',
  already_on_builtin: () => 'The channel serves no bundle, so the app keeps the code of the store.',
  disable_auto_update_to_major: ({ version, native }) =>
    `${version} has a higher major version than the app (${native}), and the channel allows the same major version only.`,
  disable_auto_update_to_minor: ({ version, native }) =>
    `${version} has another minor version than the app (${native}), and the channel allows the same minor version only.`,
  disable_auto_update_to_patch: ({ version, native }) =>
    `${version} has another patch version than the app (${native}), and the channel allows the same patch version only.`,
  disable_auto_update_to_metadata: ({ native }) => `The bundle needs a newer app than ${native}.`,
  disable_auto_update_under_native: ({ version, native }) =>
    `${version} is below the version of the app (${native}), and the channel refuses such bundles.`,
  misconfigured_channel: () =>
    'The channel needs a minimum native version on its bundle, and the bundle has none.',
  cannot_update_via_private_channel: () =>
    'The channel is private: a phone needs an override, or the channel must let phones choose it.',
  disable_prod_build: () => 'The channel refuses production builds of the app.',
  disable_dev_build: () => 'The channel refuses development builds of the app.',
  disable_device: () => 'The channel refuses real phones.',
  disable_emulator: () => 'The channel refuses emulators.',
  semver_error: ({ native }) => `The native version ${native} is not a version such as 1.0 or 1.2.3.`,
  invalid_json_body: () => 'The device id is not a UUID such as 00000000-0000-4000-8000-0000000000a0.',
  on_premise_app: () => 'This server does not know the app, or this address asked too often.',
}

export function showPhone(next) {
  state = next
  const apps = state.apps.map(({ id }) => [id, id])
  options('app', apps)
  find('phone-app').hidden = apps.length < 2
  showChannels()
}

function showChannels() {
  const names = state.channels.filter(({ app }) => app === form.app.value).map(({ name }) => name)
  options('channel', [['', 'as installed'], ...names.toSorted().map(name => [name, name])])
}

/** Choices are made anew only when they change, so that what the reader has chosen stays. */
function options(name, choices) {
  const select = form.elements[name]
  if (select.dataset.choices === JSON.stringify(choices)) return
  select.dataset.choices = JSON.stringify(choices)
  const { value } = select
  select.replaceChildren(...choices.map(([key, text]) => new Option(text, key)))
  if (choices.some(([key]) => key === value)) select.value = value
}

/** The channel that the server takes for this phone: an override first, then the app's own, then the public one. */
function channelOf({ app_id, device_id, platform, defaultChannel }) {
  const override = state.overrides.find(row => row.app === app_id && row.device === device_id.toLowerCase())
  if (override) return { name: override.channel, why: 'by its override' }
  if (defaultChannel) return { name: defaultChannel, why: 'chosen in the app' }
  const open = state.channels.find(
    row => row.app === app_id && row.public && row.platforms.includes(platform),
  )
  return open ? { name: open.name, why: 'the public one' } : null
}

async function ask() {
  const device = {
    app_id: form.app.value,
    device_id: form.device.value.trim(),
    platform: form.platform.value,
    version_build: form.native.value.trim(),
    version_name: runs,
    plugin_version: PLUGIN,
    is_emulator: false,
    is_prod: true,
    ...(form.channel.value === '' ? {} : { defaultChannel: form.channel.value }),
  }
  const response = await fetch('/updates', { method: 'POST', body: JSON.stringify(device) })
  showAnswer(device, await response.json())
}

function showAnswer(device, answer) {
  const channel = channelOf(device)
  const from = channel === null ? 'no channel' : `channel ${channel.name} (${channel.why})`
  if (answer.url === undefined) {
    const isCurrent = answer.kind === 'up_to_date'
    const title = isCurrent ? 'Up to date' : 'Gets no update'
    put(
      'phone-answer',
      box(isCurrent ? 'good' : 'bad', title, [
        why(device, answer, channel),
        `It asked ${from}. Capgo's code: ${answer.error}`,
      ]),
    )
    return
  }
  const bundle = state.bundles.find(row => row.app === device.app_id && row.name === answer.version)
  const how = answer.manifest ? `file by file (${answer.manifest.length})` : 'as one zip'
  const size = bundle?.size == null ? '' : `, ${bytes(bundle.size)} as a zip`
  const install = el('button', '', `Install ${answer.version}`)
  install.type = 'button'
  install.dataset.key = 'install'
  install.addEventListener('click', () => run(answer.version, device, bundle))
  put(
    'phone-answer',
    box('good', `Gets ${answer.version}`, [bundle?.note, `From ${from}, ${how}${size}.`], install),
  )
}

function why({ platform, defaultChannel, version_build }, answer, channel) {
  if (answer.error === 'no_channel')
    return defaultChannel
      ? `Channel ${defaultChannel} is missing, is off for ${platforms[platform]}, or is private and does not let phones choose it.`
      : `The app has no public channel for ${platforms[platform]}, and this phone has no override.`
  if (answer.error?.startsWith('disabled_platform_')) return `The channel is off for ${platforms[platform]}.`
  const served = state.channels.find(({ name, app }) => name === channel?.name && app === form.app.value)
    ?.bundle?.name
  const facts = { version: answer.version ?? served ?? 'The bundle', native: answer.old ?? version_build }
  return rules[answer.error]?.(facts) ?? answer.message
}

function box(tone, title, lines, button) {
  const text = lines.filter(Boolean).map((line, at) => el('p', at === 0 ? '' : 'soft', line))
  return el('div', `answer ${tone}`, el('p', '', el('b', '', title)), text, button)
}

/** The next question is that of a phone which runs this bundle. */
function run(name) {
  runs = name
  const isBuiltIn = name === BUILT_IN
  find('phone-runs').textContent = isBuiltIn ? 'It runs the code of the store.' : `It runs ${name}.`
  find('phone-reset').hidden = isBuiltIn
  put('phone-answer')
  form.querySelector('[type="submit"]').focus()
}

form.addEventListener('submit', event => {
  event.preventDefault()
  ask().catch(error => put('phone-answer', box('bad', 'No answer', [String(error)])))
})
form.app.addEventListener('change', showChannels)
find('phone-reset').addEventListener('click', () => run(BUILT_IN))
find('phone-runs').textContent = 'It runs the code of the store.'
