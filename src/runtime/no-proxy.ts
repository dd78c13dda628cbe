/** Which addresses are asked directly although a proxy is set: the variable `NO_PROXY`. */
import { BlockList, isIP } from 'node:net'

const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

type Rule = (host: string, port: string) => boolean

/**
 * Whether an address of that origin is asked directly. Entries stand between commas or white space: a host, which
 * stands for its subdomains too (`example.com`, `.example.com`, `*.example.com`); a pattern with `*`; an address of the
 * internet protocol, or a range of them (`10.0.0.0/8`, `fd00::/8`); each with a port, where it is meant for that one.
 * Names are not looked up: ranges are for hosts that are given as addresses.
 */
export function parseNoProxy(value: string): (url: URL) => boolean {
  const rules = value
    .toLowerCase()
    .split(/[\s,;]+/)
    .filter(entry => entry !== '')
    .map(parseEntry)
  return ({ protocol, hostname, port }) => {
    const host = unbracket(hostname.toLowerCase()).replace(/\.$/, '')
    return rules.some(rule => rule(host, port || (PORTS[protocol] ?? '')))
  }
}

function parseEntry(entry: string): Rule {
  // The colons of a bare IPv6 address, or of a range of them, begin no port.
  const bare = entry.replace(/\/\d+$/, '')
  const [, named = entry, port] =
    isIP(bare) === 6 ? [] : (/^(\[.*\](?:\/\d+)?|[^:]*):(\d+)$/.exec(entry) ?? [])
  const matches = parseHost(unbracket(named))
  return (host, asked) => (port === undefined || port === asked) && matches(host)
}

function parseHost(name: string): (host: string) => boolean {
  const [address = '', length] = name.split('/')
  const family = isIP(address)
  if (family !== 0) {
    const type = family === 6 ? 'ipv6' : 'ipv4'
    const most = family === 6 ? 128 : 32
    const prefix = length === undefined ? most : Number(length)
    if (!(prefix <= most)) return () => false
    const range = new BlockList()
    range.addSubnet(address, prefix, type)
    return host => isIP(host) !== 0 && range.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
  }
  const domain = name.replace(/^\*?\./, '').replace(/\.$/, '')
  if (domain.includes('*')) {
    const pattern = new RegExp(`^${domain.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replace(/\*+/g, '.*')}$`)
    return host => pattern.test(host)
  }
  return host => domain !== '' && (host === domain || host.endsWith(`.${domain}`))
}

/** `[::1]` and `[fd00::]/8` without their brackets. */
function unbracket(host: string): string {
  return host.replace(/^\[(.*)\]/, '$1')
}
