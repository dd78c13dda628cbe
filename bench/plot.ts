export interface Bar {
  readonly group: string
  readonly label: string
  /** How many times as long the CLI takes; null when it is unknown. */
  readonly ratio: number | null
}

const WIDTH = 760
const LEFT = 210
const RIGHT = 70
const ROW = 20

/** Horizontal bars, groups with a title; light or dark as the reader's system is. Ends behind a line at one. */
export function drawRatios(title: string, bars: readonly Bar[]): string {
  const most = Math.max(1, ...bars.map(({ ratio }) => ratio ?? 0))
  const scale = (ratio: number) => ((WIDTH - LEFT - RIGHT) * ratio) / most
  const parts: string[] = []
  let y = 44
  let group = ''
  for (const bar of bars) {
    if (bar.group !== group) {
      group = bar.group
      y += 14
      parts.push(`<text class="group" x="0" y="${y + 10}">${escapeXml(group)}</text>`)
      y += ROW
    }
    const middle = y + ROW / 2 + 1
    parts.push(`<text class="label" x="${LEFT - 8}" y="${middle + 3}">${escapeXml(bar.label)}</text>`)
    if (bar.ratio === null) parts.push(`<text class="value" x="${LEFT + 6}" y="${middle + 3}">–</text>`)
    else {
      const length = scale(bar.ratio).toFixed(1)
      const kind = bar.ratio < 1 ? 'slower' : 'faster'
      parts.push(
        `<rect class="${kind}" x="${LEFT}" y="${y + 3}" width="${length}" height="${ROW - 6}" rx="2"/>`,
        `<text class="value" x="${(LEFT + scale(bar.ratio) + 6).toFixed(1)}" y="${middle + 3}">${bar.ratio.toFixed(1)}×</text>`,
      )
    }
    y += ROW
  }
  const one = (LEFT + scale(1)).toFixed(1)
  const height = y + 16
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(title)}">
<style>
text { font: 12px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.group { font-weight: 600 }
.label { text-anchor: end; fill: #59636e }
.faster { fill: #1a7f37 }
.slower { fill: #bc4c00 }
.one { stroke: #59636e; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.label { fill: #9198a1 }
.faster { fill: #3fb950 }
.slower { fill: #db6d28 }
.one { stroke: #9198a1 }
}
</style>
<text class="title" x="0" y="16">${escapeXml(title)}</text>
${parts.join('\n')}
<line class="one" x1="${one}" x2="${one}" y1="36" y2="${height - 8}"/>
</svg>
`
}

const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
