import { describe, expect, it } from 'vitest'
import { againstLayers, circles, folderArrows, type Import } from '../../scripts/import-graph.ts'

const imports = (...arrows: string[]): Import[] =>
  arrows.map(arrow => {
    const [from = '', to = ''] = arrow.split(' -> ')
    return { from, to }
  })

describe('the import graph', () => {
  it('files that reach each other are one circle, whatever else they import', () => {
    expect(circles(imports('a -> b', 'b -> c', 'c -> a', 'c -> d', 'd -> e', 'f -> a'))).toEqual([
      ['a', 'b', 'c'],
    ])
    expect(circles(imports('a -> b', 'a -> c', 'b -> d', 'c -> d'))).toEqual([])
    expect(circles(imports('x -> y', 'y -> x', 'a -> a', 'y -> b', 'b -> c', 'c -> d', 'd -> b'))).toEqual([
      ['b', 'c', 'd'],
      ['x', 'y'],
      ['a'],
    ])
  })
  it('imports between the same two folders are one arrow; a file at the top of its area is a place', () => {
    expect(
      folderArrows(
        imports(
          'src/plan/a.ts -> src/capgo/b.ts',
          'src/plan/c.ts -> src/capgo/b.ts',
          'src/plan/a.ts -> src/plan/c.ts',
          'src/run.ts -> src/log.ts',
        ),
      ),
    ).toEqual([
      { from: 'src/plan', to: 'src/capgo', count: 2 },
      { from: 'src/run.ts', to: 'src/log.ts', count: 1 },
    ])
  })
  it('an import leads to its own layer or to one below', () => {
    const downwards = imports(
      'src/plan/a.ts -> src/capgo/b.ts',
      'src/operations/steps/a.ts -> src/operations/b.ts',
      'test/unit/a.test.ts -> scripts/b.ts',
    )
    const upwards = imports(
      'src/plan/a.ts -> src/inputs/b.ts',
      'src/run.ts -> local/device.ts',
      'local/app.ts -> test/x.ts',
    )
    expect(againstLayers([...downwards, ...upwards])).toEqual(upwards)
    expect(() => againstLayers(imports('src/misc.ts -> src/errors.ts'))).toThrow('src/misc.ts has no layer')
  })
})
