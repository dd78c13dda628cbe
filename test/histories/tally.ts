/** What was tried, counted. */
export class Tally {
  histories = 0
  runs = 0
  /** Runs of the built action as a process of its own. */
  processes = 0
  /** Times that two runs went on at once. */
  pairs = 0
  requests = { capgo: 0, github: 0 }
  readonly faults = new Map<string, number>()
  readonly deeds = new Map<string, number>()
  readonly servers = new Map<string, number>()
  readonly invariants = new Map<string, number>()
  /** Judgements for which more than one state was right: two runs at once that both were the newest word. */
  loose = 0

  count(what: 'faults' | 'deeds' | 'servers' | 'invariants', name: string, times = 1): void {
    this[what].set(name, (this[what].get(name) ?? 0) + times)
  }
}

const number = (value: number) => value.toLocaleString('en-US')

/** As Markdown, which also reads well in a terminal. */
export function renderTally(tally: Tally, failures: number, seconds: number): string {
  const table = (title: string, counts: ReadonlyMap<string, number>) => {
    const rows = [...counts].sort(([one], [other]) => one.localeCompare(other))
    const width = Math.max(title.length, ...rows.map(([name]) => name.length))
    return [
      `| ${title.padEnd(width)} | times |`,
      `|${'-'.repeat(width + 2)}|---:|`,
      ...rows.map(([name, times]) => `| ${name.padEnd(width)} | ${number(times)} |`),
      '',
    ]
  }
  return [
    ...table(
      'tried',
      new Map([
        ['1 histories', tally.histories],
        ['2 runs', tally.runs],
        ['3 of them the built action as a process', tally.processes],
        ['4 times two runs at once', tally.pairs],
        ['5 requests to Capgo', tally.requests.capgo],
        ['6 requests to GitHub', tally.requests.github],
      ]),
    ),
    ...table('server', tally.servers),
    ...table('what happened', tally.deeds),
    ...table('fault', tally.faults),
    ...table('invariant', tally.invariants),
    `${number(tally.loose)} judgements let more than one state pass. ${number(failures)} failing histories. ${number(Math.round(seconds))} seconds.`,
  ].join('\n')
}
