/** Graphs of many nodes, and of nodes that run for long. */
import { always, body, file, type Hostile, loop, nested } from './hostile-parts.js'
import { bool, field, graph, int64s, localFunction, node, value } from './protobuf.js'

export const NODES: Hostile = {
  'a million nodes': {
    bytes: () => {
      const one = field(1, node('Neg', ['x'], ['y']))
      return file({ more: [Buffer.alloc(one.length * 1_000_000, one)] })
    },
    refusal: /more than 50000 nodes/,
  },
  'functions that call each other four times, ten deep': {
    bytes: () => {
      const call = (i: number, from: string, to: string) =>
        i === 10 ? node('Neg', [from], [to]) : node(`f${i}`, [from], [to], {}, 'local')
      const calls = (i: number) => [call(i, 'a', 'b'), call(i, 'b', 'c'), call(i, 'c', 'd'), call(i, 'd', 'e')]
      return file(
        { nodes: [call(0, 'x', 'y')] },
        Array.from({ length: 10 }, (_, i) => localFunction(`f${i}`, ['a'], ['e'], calls(i + 1))),
      )
    },
    refusal: /more than 50000 nodes/,
  },
  'a function that calls itself': {
    bytes: () =>
      file({ nodes: [node('f', ['x'], ['y'], {}, 'local')] }, [
        localFunction('f', ['a'], ['b'], [node('f', ['a'], ['b'], {}, 'local')]),
      ]),
    refusal: /the function f calls itself/,
  },
  'a Loop of 2^62 trips': {
    bytes: () => file({ initializers: [int64s('m', [2n ** 62n], []), always], nodes: [loop('m', 'always', body())] }),
    refusal: /Loop runs 4611686018427387904 times/,
  },
  'a Loop of 2^62 trips in the branch of an If': {
    bytes: () => {
      const branch = graph({
        initializers: [int64s('m', [2n ** 62n], [])],
        nodes: [loop('m', '', body(), 'x', 'z')],
        outputs: [value('z')],
      })
      return file({
        initializers: [always],
        nodes: [node('If', ['always'], ['y'], { then_branch: { graph: branch }, else_branch: { graph: branch } })],
      })
    },
    refusal: /Loop runs 4611686018427387904 times/,
  },
  'a Loop without end': {
    bytes: () => {
      const constant = node('Constant', [], ['on'], { value: { tensor: bool('', true) } })
      return file({ nodes: [loop('', '', body([constant], 'on'))] })
    },
    refusal: /Loop never ends/,
  },
  'Loops in Loops: a thousand trips, four levels': {
    bytes: () => {
      const trips = int64s('m', [1000], [])
      return file({ initializers: [trips, always], nodes: [loop('m', 'always', nested(3, trips))] })
    },
    refusal: /Loops run 1000000000(000)? times/,
  },
  'a Loop of 2^62 trips in a local function': {
    bytes: () =>
      file({ nodes: [node('f', ['x'], ['y'], {}, 'local')] }, [
        localFunction(
          'f',
          ['a'],
          ['b'],
          [
            node('Constant', [], ['m'], { value: { tensor: int64s('', [2n ** 62n], []) } }),
            loop('m', '', body(), 'a', 'b'),
          ],
        ),
      ]),
    refusal: /Loop runs 4611686018427387904 times/,
  },
  'graphs in graphs, thirty deep': {
    bytes: () => {
      const branch = (depth: number): Buffer =>
        graph({
          nodes: [
            depth === 0
              ? node('Identity', ['x'], ['z'])
              : node('If', ['always'], ['z'], {
                  then_branch: { graph: branch(depth - 1) },
                  else_branch: { graph: graph({ nodes: [node('Identity', ['x'], ['z'])], outputs: [value('z')] }) },
                }),
          ],
          outputs: [value('z')],
        })
      return file({
        initializers: [always],
        nodes: [
          node('If', ['always'], ['y'], { then_branch: { graph: branch(29) }, else_branch: { graph: branch(0) } }),
        ],
      })
    },
    refusal: /graphs within graphs more than 16 deep/,
  },
  'a Loop whose condition is negated twice': {
    bytes: () => {
      const twice = [node('Not', ['go'], ['stop']), node('Not', ['stop'], ['on'])]
      return file({
        initializers: [int64s('m', [2n ** 62n], []), always],
        nodes: [loop('m', 'always', body(twice, 'on'))],
      })
    },
    refusal: /Loop runs 4611686018427387904 times/,
  },
  'a Loop whose condition is this or true, and whose count is made of a negative one': {
    bytes: () => {
      const either = [node('Or', ['go', 'never'], ['on'])]
      return file({
        initializers: [int64s('less', [-(2n ** 62n)], []), bool('never', false), always],
        nodes: [loop('m', 'always', body(either, 'on')), node('Abs', ['less'], ['m'])],
      })
    },
    refusal: /Loop runs 4611686018427387904 times/,
  },
  'a Loop that puts a long list together': {
    bytes: () => {
      const parts = graph({
        initializers: [int64s('shape', [1_000_000])],
        nodes: [node('Identity', ['state'], ['next']), node('ConstantOfShape', ['shape'], ['part'])],
        inputs: [value('i'), value('go'), value('state')],
        outputs: [value('go'), value('next'), value('part')],
      })
      const inputs = ['m', 'always', 'x']
      return file({
        initializers: [int64s('m', [800], []), always],
        nodes: [node('Loop', inputs, ['last', 'y'], { body: { graph: parts } })],
      })
    },
    refusal: /what a Loop puts together makes at least 800000000 numbers/,
  },
}
