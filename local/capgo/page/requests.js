// Requests by the run that sent them, in words; each opens to what was sent.
import { bytes, chip, count, el, find, put } from './elements.js'

const kinds = {
  all: () => true,
  writes: request => request.writes,
  refused: request => request.status >= 400 || request.status === 0,
}
/** Rows that the reader opened (true) or closed (false); the newest group is open until then. */
const opened = new Map()
let state = null

export function showRequests(next) {
  state = next
  const words = find('request-words').value.toLowerCase().split(/\s+/).filter(Boolean)
  const isShown = request => {
    const text =
      `${request.sender} ${request.words} ${request.method} ${decode(request.path)} ${request.status}`.toLowerCase()
    return kinds[find('request-kind').value](request) && words.every(word => text.includes(word))
  }
  const shown = state.requests.filter(isShown)
  const all = count(state.requestCount, 'request')
  find('request-count').textContent =
    shown.length === state.requestCount ? state.requestCount : `${shown.length} of ${all}`
  const groups = groupsOf(shown)
  const nothing = state.requests.length === 0 ? 'No requests yet.' : 'No request fits the filter.'
  put('requests', ...(groups.length ? groups.map(groupOf) : [el('p', 'card empty', nothing)]))
}

/** The newest first. A run's requests are together, also where those of another come between. */
function groupsOf(requests) {
  const groups = []
  for (const request of requests) {
    const isRun = request.sender.startsWith('Run ')
    const last = groups.at(-1)
    const group = isRun ? groups.find(({ sender }) => sender === request.sender) : last
    if (group?.sender === request.sender) group.requests.push(request)
    else
      groups.push({
        sender: request.sender,
        key: isRun ? request.sender : `${request.sender} ${request.n}`,
        requests: [request],
      })
  }
  return groups.reverse()
}

function groupOf({ sender, key, requests }, at) {
  const writes = requests.filter(request => request.writes).length
  const facts = [
    count(requests.length, 'request'),
    writes && sender.startsWith('Run ') ? count(writes, 'write') : null,
    span(requests[0].at, requests.at(-1).at),
  ]
  const group = el(
    'details',
    'run',
    summary(key, el('b', 'sender', sender), el('span', 'soft', facts.filter(Boolean).join(' · '))),
  )
  keep(group, key, at === 0)
  group.append(
    el(
      'div',
      '',
      requests.map(request => requestOf(request, key)),
    ),
  )
  return group
}

function requestOf(request, group) {
  const key = `request ${request.n}`
  const sizes = [
    request.requestBytes ? `${bytes(request.requestBytes)} up` : null,
    request.responseBytes ? `${bytes(request.responseBytes)} down` : null,
  ]
  const title = [
    el('span', 'time soft mono', request.at.slice(11, 19)),
    el('span', '', request.words || `${request.method} ${decode(request.path)}`),
    chip(...statusOf(request.status)),
  ]
  const node = el('details', 'request', summary(key, ...title))
  keep(node, key, false)
  const more = el('pre', '', 'Loading…')
  more.tabIndex = 0
  node.append(more)
  const load = async () => {
    const { method, path, body } = await (await fetch(`/_local/requests/${request.n}`)).json()
    const sent = body === undefined ? [] : [JSON.stringify(body, null, 2)]
    more.textContent = [`${method} ${decode(path)}`, sizes.filter(Boolean).join(', '), ...sent].join('\n')
  }
  // A group that is being read is kept open, also when a newer one comes.
  node.firstChild.addEventListener('click', () => opened.set(group, true))
  node.addEventListener('toggle', () => node.open && load())
  if (node.open) load()
  return node
}

function summary(key, ...children) {
  const node = el('summary', '', children)
  node.dataset.key = key
  return node
}

function keep(node, key, isOpen) {
  node.open = opened.get(key) ?? isOpen
  node.firstChild.addEventListener('click', () => opened.set(key, !node.open))
}

function statusOf(status) {
  if (status === 0) return ['no answer yet', 'warn']
  if (status < 300) return [`${status} ok`, 'good']
  return status < 500 ? [`${status} refused`, 'warn'] : [`${status} failed`, 'bad']
}

function span(from, to) {
  const [first, last] = [from, to].map(time => time.slice(11, 19))
  return first === last ? first : `${first} to ${last}`
}

/** A path as people read it: one parameter a line. */
function decode(path) {
  const [name, query] = path.split('?')
  if (query === undefined) return name
  const parameters = [...new URLSearchParams(query)].map(([key, value]) => `  ${key} = ${value}`)
  return [name, ...parameters].join('\n')
}

for (const id of ['request-kind', 'request-words'])
  find(id).addEventListener('input', () => state && showRequests(state))
