/**
 * The wire between runs and the two servers. Each run has addresses of its own here; every request of every run passes
 * one after another, in an order that the history decides, and with the faults that it has.
 */
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestTo,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { Tally } from './tally.ts'

export type Side = 'capgo' | 'github'

/** What can happen to a request. */
export const FAULTS = {
  cut: 'the connection breaks before the request arrives',
  half: 'the connection breaks half way through the request',
  lost: 'the answer is lost',
  replaced: '502 in place of the answer',
  failed: '500, and nothing happened',
  refused: '503 with Retry-After, and nothing happened',
  limited: 'too many requests, and nothing happened',
  doubled: 'it arrives twice, one right after the other',
  echoed: 'it arrives once more later, after others',
  late: 'the runner gives up, and it arrives later, after others',
} as const
export type FaultKind = keyof typeof FAULTS

export interface Disturbance {
  /** Which request of the run, counted from 1. */
  readonly at: number
  readonly kind: FaultKind
  /** echoed, late: after how many other requests. */
  readonly after: number
}

interface Kill {
  /** Which request of the run. */
  readonly at: number
  readonly when: 'before' | 'half' | 'after'
}

/** In which order the requests of two runs pass: drawn, or one is held at a request until the other has ended. */
export type Order =
  | { readonly kind: 'drawn'; readonly seed: number }
  | { readonly kind: 'held'; readonly line: 0 | 1; readonly at: number }

/** What somebody does while the run goes on. */
export type Meanwhile =
  /** Right before the run looks for this time where devices are: what it sees last is what is true. */
  | { readonly kind: 'hand'; readonly look: number; readonly device: string; readonly channel: string }
  /** The pull request that the run cleans up is opened again before this request of it. */
  | { readonly kind: 'reopen'; readonly at: number }

export interface LinePlan {
  readonly faults: readonly Disturbance[]
  readonly kill: Kill | null
  readonly meanwhile: Meanwhile | null
}

export interface Line {
  readonly capgo: string
  readonly github: string
  readonly isDead: boolean
  close(): Promise<void>
}

interface OpenLine extends Line {
  readonly plan: LinePlan
  readonly place: number
  passed: number
  /** How often it asked where devices are. */
  looks: number
  /** What somebody did meanwhile is done. */
  isOver: boolean
  die(): void
}

interface Message {
  readonly side: Side
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

interface Waiting {
  readonly line: OpenLine
  readonly message: Message
  readonly response: ServerResponse
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Milliseconds in which requests that a run sends side by side come together. */
const GATHER = 2
/** Milliseconds for which a run may think while another one's request waits. */
const THINK = 12
/** Requests for overrides. */
const LOOKS = /\/channel_devices\?|channel_devices[.(]/
const HOP_BY_HOP = /^(host|connection|keep-alive|transfer-encoding|expect|content-length)$/

export class Wire {
  readonly #targets: Readonly<Record<Side, string>>
  readonly #tally: Tally
  readonly #agent = new Agent({ keepAliveTimeout: 10_000 })
  readonly #lines: OpenLine[] = []
  readonly #waiting: Waiting[] = []
  #late: { left: number; message: Message; from: string }[] = []
  #timer: NodeJS.Timeout | undefined
  #since = 0
  #isBusy = false
  #places = 0
  #draw: () => number = () => 0
  #order: Order = { kind: 'drawn', seed: 0 }
  /** Called for each request that arrives long after it was sent. */
  onLate: (path: string) => void = () => {}
  /** Called when it is time for what somebody does by hand. */
  onMeanwhile: (meanwhile: Meanwhile) => void = () => {}

  constructor(targets: Readonly<Record<Side, string>>, tally: Tally) {
    this.#targets = targets
    this.#tally = tally
  }

  /** How the requests of the next lines are ordered. */
  order(order: Order): void {
    this.#order = order
    this.#draw = generator(order.kind === 'drawn' ? order.seed : 1)
    this.#places = 0
  }

  /** Addresses for one run. `onKill` ends it; whatever it sends afterwards reaches nobody. */
  async open(plan: LinePlan, onKill: () => void): Promise<Line> {
    const sockets = new Set<Socket>()
    const listen = (side: Side) => this.#listen(side, () => line, sockets)
    const servers = { capgo: await listen('capgo'), github: await listen('github') }
    const wire = this
    let isDead = false
    const line: OpenLine = {
      capgo: addressOf(servers.capgo),
      github: addressOf(servers.github),
      plan,
      place: this.#places++,
      passed: 0,
      looks: 0,
      isOver: false,
      get isDead() {
        return isDead
      },
      die() {
        isDead = true
        for (const socket of sockets) socket.destroy()
        wire.#forget(line)
        onKill()
      },
      async close() {
        wire.#forget(line)
        for (const socket of sockets) socket.destroy()
        await Promise.all(Object.values(servers).map(server => new Promise(done => server.close(done))))
      },
    }
    this.#lines.push(line)
    return line
  }

  get hasLate(): boolean {
    return this.#late.length > 0
  }

  /** Everything that is still under way arrives. */
  async flush(): Promise<void> {
    while (this.#late.length > 0) await this.#deliver(this.#late.shift()!)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#agent.destroy()
  }

  #forget(line: OpenLine): void {
    const at = this.#lines.indexOf(line)
    if (at >= 0) this.#lines.splice(at, 1)
    for (const waiting of this.#waiting.filter(each => each.line === line))
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
    this.#wake()
  }

  async #listen(side: Side, line: () => OpenLine, sockets: Set<Socket>): Promise<Server> {
    const server = createServer({ keepAliveTimeout: 30_000 }, (incoming, response) => {
      void this.#take(side, line(), incoming, response)
    })
    server.on('connection', socket => {
      if (line().isDead) socket.destroy()
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }

  async #take(side: Side, line: OpenLine, incoming: IncomingMessage, response: ServerResponse) {
    const pieces: Buffer[] = []
    try {
      for await (const piece of incoming) pieces.push(piece)
    } catch {
      return
    }
    if (line.isDead) return
    const { method = 'GET', url: path = '/', headers } = incoming
    this.#waiting.push({
      line,
      message: { side, method, path, headers, body: Buffer.concat(pieces) },
      response,
    })
    this.#wake()
  }

  /** Passes on the next request once those that may come with it are there. */
  #wake(): void {
    this.#since = performance.now()
    clearTimeout(this.#timer)
    if (!this.#isBusy && this.#waiting.length > 0) this.#timer = setTimeout(() => void this.#next(), GATHER)
  }

  async #next(): Promise<void> {
    if (this.#isBusy) return
    const candidates = this.#candidates()
    if (candidates.length === 0) return
    const isThinking = (line: OpenLine) => !this.#waiting.some(waiting => waiting.line === line)
    if (
      this.#order.kind === 'drawn' &&
      this.#lines.some(isThinking) &&
      performance.now() - this.#since < THINK
    ) {
      this.#timer = setTimeout(() => void this.#next(), GATHER)
      return
    }
    const chosen = candidates[Math.floor(this.#draw() * candidates.length)]!
    this.#waiting.splice(this.#waiting.indexOf(chosen), 1)
    this.#isBusy = true
    try {
      await this.#pass(chosen)
      for (const late of this.#late) late.left--
      for (const late of this.#late.filter(({ left }) => left <= 0)) {
        this.#late.splice(this.#late.indexOf(late), 1)
        await this.#deliver(late)
      }
    } finally {
      this.#isBusy = false
      this.#wake()
    }
  }

  /** Those that may pass now, in an order that does not depend on chance. */
  #candidates(): Waiting[] {
    const order = this.#order
    const isHeld = ({ line }: Waiting) =>
      order.kind === 'held' &&
      line.place === order.line &&
      line.passed + 1 >= order.at &&
      this.#lines.some(other => other.place !== order.line)
    const key = ({ line, message: { side, method, path } }: Waiting) =>
      `${line.place} ${side} ${method} ${path.replace(/nocache=[^&]*/, '')}`
    return this.#waiting
      .filter(waiting => !isHeld(waiting))
      .sort((one, other) => (key(one) < key(other) ? -1 : 1))
  }

  async #pass({ line, message, response }: Waiting): Promise<void> {
    const nth = ++line.passed
    this.#tally.requests[message.side]++
    const { kill, faults, meanwhile } = line.plan
    if (message.method === 'GET' && LOOKS.test(message.path)) line.looks++
    const isTime = meanwhile?.kind === 'hand' ? meanwhile.look === line.looks : meanwhile?.at === nth
    if (isTime && !line.isOver && meanwhile !== null) {
      line.isOver = true
      this.onMeanwhile(meanwhile)
    }
    if (kill?.at === nth) {
      this.#tally.count('faults', `killed ${kill.when === 'half' ? 'in the middle of' : kill.when} a request`)
      if (kill.when === 'half') await this.#sendHalf(message)
      if (kill.when === 'after') await this.#send(message)
      line.die()
      return
    }
    const fault = faults.find(({ at }) => at === nth)
    if (fault !== undefined) this.#tally.count('faults', fault.kind)
    const answer = await this.#perform(message, fault)
    if (line.isDead) return
    if (answer === null) response.socket?.destroy()
    else this.#reply(line, message, response, answer)
  }

  /** Null when the connection breaks. */
  async #perform(message: Message, fault: Disturbance | undefined): Promise<Answer | null> {
    switch (fault?.kind) {
      case undefined:
        return this.#send(message)
      case 'cut':
        return null
      case 'half':
        await this.#sendHalf(message)
        return null
      case 'lost':
        await this.#send(message)
        return null
      case 'replaced':
        await this.#send(message)
        return answer(502, 'Bad gateway')
      case 'failed':
        return answer(500, { message: 'unknown_error', error: 'unknown_error' })
      case 'refused':
        return answer(503, { message: 'busy', error: 'busy' }, { 'retry-after': '1' })
      case 'limited':
        return message.side === 'github'
          ? answer(403, { message: 'You have exceeded a secondary rate limit.' }, { 'retry-after': '1' })
          : answer(429, { error: 'too_many_requests', moreInfo: { retryAfterSeconds: 1 } })
      case 'doubled':
        await this.#send(message)
        return this.#send(message)
      case 'echoed':
        this.#late.push({ left: fault.after, message, from: fault.kind })
        return this.#send(message)
      case 'late':
        this.#late.push({ left: fault.after, message, from: fault.kind })
        return null
    }
  }

  async #deliver({ message }: { message: Message }): Promise<void> {
    await this.#send(message)
    if (!['GET', 'HEAD'].includes(message.method)) this.onLate(`${message.method} ${message.path}`)
  }

  async #send({ side, method, path, headers, body }: Message): Promise<Answer> {
    const response = await request(`${this.#targets[side]}${path}`, {
      dispatcher: this.#agent,
      method: method as 'GET',
      headers: forwarded(headers),
      body: body.length > 0 ? body : null,
    })
    const bytes = Buffer.from(await response.body.arrayBuffer())
    return { status: response.statusCode, headers: response.headers, body: bytes }
  }

  /** The server sees the beginning of a body, and then the connection is gone. */
  #sendHalf({ side, method, path, headers, body }: Message): Promise<void> {
    if (body.length < 2) return Promise.resolve()
    return new Promise(resolve => {
      const sending = requestTo(`${this.#targets[side]}${path}`, {
        method,
        headers: { ...forwarded(headers), 'content-length': body.length },
        agent: false,
      })
      sending.on('error', () => {})
      sending.on('close', async () => {
        await settled()
        resolve()
      })
      sending.write(body.subarray(0, Math.floor(body.length / 2)), async () => {
        await settled()
        sending.destroy()
      })
    })
  }

  /** The servers name themselves in answers; the run must come back here. */
  #reply(line: Line, { side, method }: Message, response: ServerResponse, { status, headers, body }: Answer) {
    const here = line[side]
    const there = this.#targets[side]
    const isText = /json|text/.test(String(headers['content-type'] ?? ''))
    const content = isText ? Buffer.from(body.toString('utf8').replaceAll(there, here)) : body
    const named = Object.entries(headers)
      .filter(([name, value]) => value !== undefined && !HOP_BY_HOP.test(name))
      .map(([name, value]) => [name, typeof value === 'string' ? value.replaceAll(there, here) : value])
    const length =
      method === 'HEAD'
        ? headers['content-length']
        : status === 204 || status === 304
          ? undefined
          : content.length
    response.writeHead(status, {
      ...Object.fromEntries(named),
      ...(length === undefined ? {} : { 'content-length': length }),
    })
    response.end(method === 'HEAD' ? undefined : content)
  }
}

/** The servers, which live in this process, have read what was sent. */
async function settled(): Promise<void> {
  await sleep(10)
  for (let turns = 0; turns < 3; turns++) await nextTurn()
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  const isText = typeof body === 'string'
  return {
    status,
    headers: { 'content-type': isText ? 'text/plain' : 'application/json', ...headers },
    body: Buffer.from(isText ? body : JSON.stringify(body)),
  }
}

function forwarded(headers: IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !HOP_BY_HOP.test(name))
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]))
}

const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
