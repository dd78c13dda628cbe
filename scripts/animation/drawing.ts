/** The animation as an SVG of its own: pictures inside, CSS for time and theme, no script, still where motion is not wanted. */
import type { Story } from './story.ts'

/** A picture by its size in CSS pixels. */
export interface Raster {
  readonly data: Buffer
  readonly type: 'image/png' | 'image/jpeg'
  readonly width: number
  readonly height: number
}

export interface Pictures {
  /** The comment. */
  readonly light: Raster
  readonly dark: Raster
  /** The phone. */
  readonly before: Raster
  readonly after: Raster
}

const WIDTH = 640
const HEIGHT = 440
/** The scenes are below the steps. */
const TOP = 64
const STAGE = HEIGHT - TOP - 24
const COMMENT_WIDTH = 560
const PHONE_HEIGHT = STAGE - 34
/** Seconds. */
const LOOP = 16
const PUSH_ENDS = 4.5
const COMMENT_ENDS = 10
const UPDATE = 12.2
const FADE = 0.5

export function drawAnimation(story: Story, { light, dark, before, after }: Pictures): string {
  const scale = COMMENT_WIDTH / light.width
  /** How far the comment moves up so that its end is seen. */
  const way = Math.max(0, light.height * scale - STAGE)
  const left = (WIDTH - COMMENT_WIDTH) / 2
  const comment = ({ data, type, height }: Raster, theme: string) =>
    `<image class="${theme}" x="${left}" y="${TOP}" width="${COMMENT_WIDTH}" height="${height * scale}" href="${address(data, type)}"/>`
  const phoneWidth = (PHONE_HEIGHT * before.width) / before.height
  const [first, second] = [WIDTH / 2 - 44 - phoneWidth, WIDTH / 2 + 44]
  const phone = (x: number, { data, type }: Raster, words: string) => `
<rect class="body" x="${x - 6}" y="${TOP}" width="${phoneWidth + 12}" height="${PHONE_HEIGHT}" rx="24"/>
<image x="${x}" y="${TOP + 6}" width="${phoneWidth}" height="${PHONE_HEIGHT - 12}" preserveAspectRatio="xMidYMid slice" clip-path="inset(0 round 18px)" href="${address(data, type)}"/>
<text class="words" x="${x + phoneWidth / 2}" y="${TOP + PHONE_HEIGHT + 26}">${asXml(words)}</text>`
  const middle = TOP + PHONE_HEIGHT / 2
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title">
<title id="title">A push to a pull request, the comment on it, and the phone that shows the change</title>
<style>${style(way)}</style>
<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="16"/>
<clipPath id="stage"><rect x="0" y="${TOP}" width="${WIDTH}" height="${STAGE}"/></clipPath>
${['Push', 'Comment', 'Phone'].map(step).join('\n')}
<g id="push">${terminal(story)}</g>
<g id="comment" clip-path="url(#stage)"><g id="scroll">${comment(light, 'light')}${comment(dark, 'dark')}</g></g>
<g id="phone">${phone(first, before, 'before')}
<path class="arrow" d="M${WIDTH / 2 - 16} ${middle}h30m-11 -11l11 11l-11 11"/>
<g id="after">${phone(second, after, 'after')}</g></g>
</svg>
`
}

function step(name: string, at: number): string {
  const x = WIDTH / 2 + (at - 1) * 164
  return `<g class="step" id="step-${at}"><text x="${x}" y="38">${at + 1}  ${name}</text><path d="M${x - 68} 49h136"/></g>`
}

/** The commands, and the answer of the run. */
function terminal({ branch, sha, subject, reason, duration }: Story): string {
  const said = `published in ${Math.round(duration / 1000)} s`
  const lines: readonly (readonly [className: string, text: string])[] = [
    ['typed', `$ git commit -am '${subject}'`],
    ['soft', `[${branch} ${sha.slice(0, 7)}]`],
    ['typed', '$ git push'],
    ['soft', 'GitHub Actions: capgo-publish-action'],
    ['good', `✓ ${said}`],
    ['soft', reason.replace(/ bundle\b/, '')],
  ]
  const rows = lines.map(([className, text], at) => {
    const y = TOP + 78 + at * 42 + (at > 1 ? 14 : 0) + (at > 2 ? 14 : 0)
    return `<text class="line ${className}" id="line-${at}" x="62" y="${y}">${asXml(text)}</text>`
  })
  const dots = [0, 1, 2].map(at => `<circle class="dot" cx="${64 + at * 20}" cy="${TOP + 28}" r="6"/>`)
  return `<rect class="terminal" x="40" y="${TOP + 4}" width="${WIDTH - 80}" height="${STAGE - 8}" rx="12"/>${dots.join('')}${rows.join('')}`
}

function style(way: number): string {
  const at = (seconds: number) => `${((seconds / LOOP) * 100).toFixed(2)}%`
  const shown = (name: string, from: number, to: number) =>
    from === 0
      ? `@keyframes ${name}{0%,${at(to)}{opacity:1}${at(to + FADE)},${at(LOOP - FADE)}{opacity:0}}`
      : `@keyframes ${name}{0%,${at(from)}{opacity:0}${at(from + FADE)},${at(to)}{opacity:1}${at(Math.min(to + FADE, LOOP))},100%{opacity:0}}`
  const lit = (name: string, from: number, to: number) =>
    shown(name, from, to).replaceAll('opacity:0', 'opacity:.45')
  const appears = (name: string, from: number) =>
    `@keyframes ${name}{0%,${at(from)}{opacity:0}${at(from + 0.25)},100%{opacity:1}}`
  const scenes = [
    ['push', 0, PUSH_ENDS],
    ['comment', PUSH_ENDS, COMMENT_ENDS],
    ['phone', COMMENT_ENDS, LOOP - FADE],
  ] as const
  const lines = [0.3, 1, 1.5, 2, 2.9, 3.2]
  return `
svg{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;--ground:#f6f8fa;--line:#d1d9e0;--text:#1f2328;--soft:#59636e;--accent:#0969da}
.ground{fill:var(--ground);stroke:var(--line)}
.step text{font-size:21px;font-weight:600;fill:var(--text);text-anchor:middle;white-space:pre}
.step path{stroke:var(--accent);stroke-width:3;stroke-linecap:round}
.terminal{fill:#0d1117;stroke:#30363d}.dot{fill:#484f58}
.line{font:20px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.typed{fill:#f0f6fc}.soft{fill:#9ba5b0}.good{fill:#56d364}
.body{fill:#010409;stroke:#484f58}
.words{font-size:20px;fill:var(--soft);text-anchor:middle}
.arrow{fill:none;stroke:var(--soft);stroke-width:4;stroke-linecap:round;stroke-linejoin:round}
.dark{display:none}
@media (prefers-color-scheme:dark){svg{--ground:#0d1117;--line:#3d444d;--text:#f0f6fc;--soft:#9ba5b0;--accent:#4493f8}.light{display:none}.dark{display:inline}}
${scenes.map(([name, from, to], n) => `#${name}{animation:${name} ${LOOP}s infinite}${shown(name, from, to)}#step-${n}{animation:step-${n} ${LOOP}s infinite}${lit(`step-${n}`, from, to)}`).join('\n')}
${lines.map((from, n) => `#line-${n}{animation:line-${n} ${LOOP}s infinite}${appears(`line-${n}`, from)}`).join('\n')}
#after{animation:after ${LOOP}s infinite}${appears('after', UPDATE)}
#scroll{animation:scroll ${LOOP}s infinite ease-in-out}@keyframes scroll{0%,${at(PUSH_ENDS + 2.2)}{transform:none}${at(COMMENT_ENDS - 1)},100%{transform:translateY(-${way.toFixed(1)}px)}}
@media (prefers-reduced-motion:reduce){*{animation:none!important}#push,#comment{opacity:0}}
`
}

const address = (data: Buffer, type: string) => `data:${type};base64,${data.toString('base64')}`

function asXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
