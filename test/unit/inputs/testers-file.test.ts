import { describe, expect, it } from 'vitest'
import { parseTesters } from '../../../src/inputs/testers-file.ts'

const ADA = '0a1b2c3d-0000-4000-8000-000000000001'
const BOB = '0b1b2c3d-0000-4000-8000-000000000002'
const TODAY = '2026-11-23'

const said = (text: string) =>
  parseTesters(text, TODAY).problems.map(({ line, column, message }) => `${line}:${column} ${message}`)

describe('a testers file', () => {
  it('may be a list of device ids, with comments and a comma too many', () => {
    const { testers, problems } = parseTesters(`[\n  "${ADA}", // Ada\n  "${BOB}",\n]`, TODAY)
    expect(problems).toEqual([])
    expect(testers.map(({ device, line, column }) => [device, line, column])).toEqual([
      [ADA, 2, 3],
      [BOB, 3, 3],
    ])
  })

  it('may tell whose device it is, and have groups of ids', () => {
    const { testers, problems } = parseTesters(
      JSON.stringify({
        $schema: './testers.schema.json',
        testers: [
          {
            device: ADA,
            name: "Ada's iPhone",
            github: 'ada',
            groups: ['qa'],
            channel: 'beta',
            until: '2027-03-31',
          },
        ],
        groups: { sales: [ADA, BOB] },
      }),
      TODAY,
    )
    expect(problems).toEqual([])
    expect(testers).toEqual([
      {
        device: ADA,
        name: "Ada's iPhone",
        github: 'ada',
        groups: ['qa', 'sales'],
        channel: 'beta',
        until: '2027-03-31',
        line: 1,
        column: expect.any(Number),
      },
      expect.objectContaining({ device: BOB, name: null, groups: ['sales'], channel: null }),
    ])
  })

  it('is read in lower case, as Capgo keeps ids, and says so', () => {
    const { testers, warnings, problems } = parseTesters(`["${ADA.toUpperCase()}"]`, TODAY)
    expect(problems).toEqual([])
    expect(testers[0]?.device).toBe(ADA)
    expect(warnings).toEqual([{ line: 1, column: 2, message: expect.stringContaining('is in upper case') }])
    expect(said(`["${ADA.toUpperCase()}", "${ADA}"]`)).toEqual([
      '1:42 0a1b2c3d… is listed twice (first on line 1)',
    ])
  })

  it('warns of a last day that is over', () => {
    const { warnings } = parseTesters(`[{"device": "${ADA}", "until": "2026-11-22"}]`, TODAY)
    expect(warnings).toEqual([
      { line: 1, column: 62, message: expect.stringContaining('expired on 2026-11-22') },
    ])
    expect(parseTesters(`[{"device": "${ADA}", "until": "${TODAY}"}]`, TODAY).warnings).toEqual([])
  })

  it.each([
    ['nothing', '', ['1:1 the file is empty']],
    ['broken JSON', `{ "testers": [`, ['1:15 the file is not valid JSON: close bracket expected']],
    ['a text', '"x"', ['1:1 the file must be a list of device ids, or an object with "testers"']],
    ['no list', '{\n  "testers": 3\n}', ['2:14 "testers" must be a list']],
    ['other keys', '{ "tester": [] }', ['1:3 Unknown key "tester". Did you mean "testers"?']],
    [
      'ids that are none, of other types, and missing ones, all at once',
      `[ "nope",\n  5,\n  {"name": "x"},\n  {"device": "${ADA}", "githab": "x", "until": "2026-13-01"}\n]`,
      [
        '1:3 "nope" is not a device id (expected e.g. 0a1b2c3d-1111-4222-8333-444455556666, from CapacitorUpdater.getDeviceId())',
        '2:3 a tester must be a device id in quotes, or an object with "device"',
        '3:3 "device" is missing',
        '4:54 Unknown key "githab". Did you mean "github"?',
        '4:78 "until": "2026-13-01" is not a day such as 2027-03-31',
      ],
    ],
    [
      'a device twice, whose first entry has another mistake',
      `[{"device": "${ADA}", "nmae": "Ada"},\n "${ADA}",\n {"device": "${ADA.toUpperCase()}", "until": "soon"}]`,
      [
        '1:53 Unknown key "nmae". Did you mean "name"?',
        '2:2 0a1b2c3d… is listed twice (first on line 1)',
        '3:13 0a1b2c3d… is listed twice (first on line 1)',
        '3:62 "until": "soon" is not a day such as 2027-03-31',
      ],
    ],
    [
      'an entry with a mistake, but not with the group that has its device',
      `{"testers": [{"device": "${ADA}", "name": ""}], "groups": {"qa": ["${ADA}"]}}`,
      ['1:73 "name": "" is empty'],
    ],
    [
      'keys that appear twice',
      `{"testers": [{"device": "${ADA}", "device": "${BOB}"}],\n "groups": {"qa": [], "qa": []}, "testers": []}`,
      ['1:65 Key "device" appears twice', '2:23 Key "qa" appears twice', '2:34 Key "testers" appears twice'],
    ],
    [
      'a device on two channels',
      `[{"device": "${ADA}", "channel": "beta"},\n {"device": "${ADA}", "channel": "alpha"}]`,
      ['2:13 0a1b2c3d… is on channel "alpha" here, but on "beta" on line 1'],
    ],
    [
      'groups that are none',
      `{"groups": {"q a": ["${ADA}"], "qa": "${ADA}", "two": ["${BOB}", "${BOB}"]}}`,
      [
        '1:13 "q a" is not a valid group name: use letters, digits, ".", "_" and "-"',
        '1:68 "qa" must be a list of device ids',
        `1:156 0b1b2c3d… is in group "two" twice`,
      ],
    ],
    [
      'what is not a text',
      `{"testers": [{"device": 5, "name": {"a": ${'['.repeat(3_000)}${']'.repeat(3_000)}}}],\n "groups": {"qa": [5, {}]}}`,
      [
        '1:25 "device" must be a text in quotes',
        '1:36 "name" must be a text in quotes',
        '2:20 this entry must be a text in quotes',
        '2:23 this entry must be a text in quotes',
      ],
    ],
    [
      'keys that every object has',
      `{"__proto__": [], "constructor": [],\n "groups": {"__proto__": [], "constructor": ["${ADA}"]},\n "testers": [{"device": "${BOB}", "toString": 1}]}`,
      [
        '1:2 Unknown key "__proto__". Use "$schema", "testers", "groups".',
        '1:19 Unknown key "constructor". Use "$schema", "testers", "groups".',
        '2:13 "__proto__" is not a valid group name: use letters, digits, ".", "_" and "-"',
        '3:65 Unknown key "toString". Use "device", "name", "github", "groups", "channel", "until".',
      ],
    ],
  ])('tells what is wrong with %s', (_what, text, expected) => {
    expect(said(text)).toEqual(expected)
  })

  it.each([
    ['nmae', 'name'],
    ['nam', 'name'],
    ['namee', 'name'],
    ['nane', 'name'],
    ['Device', 'device'],
    ['devcie', 'device'],
    ['group', 'groups'],
    ['chanel', 'channel'],
  ])('knows that "%s" stands for "%s"', (key, meant) => {
    expect(said(`[{"device": "${ADA}", "${key}": []}]`)[0]).toMatch(
      new RegExp(`Unknown key "${key}"\\. Did you mean "${meant}"\\?$`),
    )
  })

  it.each([
    ['deeper than the parser can', '['.repeat(100_000)],
    ['as objects', `{"a":`.repeat(100_000)],
  ])('says that it is nested too deeply: %s', (_what, text) =>
    expect(said(text)).toEqual(['1:1 the file is nested too deeply']),
  )

  it('may have Windows line ends, tabs and a byte order mark', () => {
    const { testers, problems } = parseTesters(`\ufeff[\r\n\t"${ADA}",\r\n\t"${BOB}",\r\n]\r\n`, TODAY)
    expect(problems).toEqual([])
    expect(testers.map(({ line, column }) => [line, column])).toEqual([
      [2, 2],
      [3, 2],
    ])
  })

  it.each(['branch', 'id', 'login', 'x'])('names the keys where "%s" is like none of them', key => {
    expect(said(`[{"device": "${ADA}", "${key}": 1}]`)).toEqual([
      `1:53 Unknown key "${key}". Use "device", "name", "github", "groups", "channel", "until".`,
    ])
  })
})
