/** What models really write, in every dialect: the box is found, or there is none; nothing throws. */
import t from 'tap'
import { FULL_BOX } from '../../../../src/contract/box.js'
import { DIALECTS } from '../../../../src/cropper/dialects/dialects.js'
import { noGrowth } from '../../../../src/cropper/dialects/growth.js'
import { placeBox } from '../../../../src/cropper/remote/place.js'

const rambling = 'The picture shows a shop with 3 windows (2 of them lit), a sign, and a dog of about 40 kg. '.repeat(
  180,
)
const sizes = { image: { width: 1000, height: 1000 }, picture: { width: 1000, height: 1000 } }

for (const dialect of DIALECTS) {
  const scale = dialect.scale === 'pixels' ? 1000 : dialect.scale
  const written = (...parts: number[]) => parts.map(part => Number((part * scale).toFixed(4)))
  const [a, b, c, d] = written(0.1, 0.2, 0.3, 0.4)
  const isYFirst = dialect.order === 'yxyx'
  const box = isYFirst ? [20, 10, 40, 30] : [10, 20, 30, 40]
  const read = (text: string, ...toolCalls: string[]) => dialect.read({ text, toolCalls })
  const place = (text: string, ...toolCalls: string[]) => {
    const found = read(text, ...toolCalls)
    return found ? placeBox(found, dialect, noGrowth, sizes) : { problem: 'no_box' }
  }

  t.test(`${dialect.name}: a box, however it is written`, async t => {
    const list = `[${a}, ${b}, ${c}, ${d}]`
    const other = `[${written(0.5, 0.5, 0.9, 0.9)}]`
    const rows: [name: string, text: string][] = [
      ['bare', list],
      ['without spaces', `[${a},${b},${c},${d}]`],
      ['a fence', `\`\`\`json\n{"bbox_2d": ${list}}\n\`\`\``],
      ['text before and after', `Certainly. The region is {"bbox_2d": ${list}}, as you can see (3 items).`],
      ['over several lines', `{\n  "bbox_2d": [\n    ${a},\n    ${b},\n    ${c},\n    ${d}\n  ]\n}`],
      ['the first of two', `[{"bbox_2d": ${list}, "label": "a"}, {"bbox_2d": ${other}, "label": "b"}]`],
      ['the first of two lists', `${list} or ${other}`],
      ['numbers in quotes', `{"bbox_2d": ["${a}", "${b}", "${c}", "${d}"]}`],
      ['the list in quotes', `{"bbox_2d": "${list}"}`],
      ['numbers in one text', `{"bbox": "${a}, ${b}, ${c}, ${d}"}`],
      ['a trailing comma', `{"bbox_2d": [${a}, ${b}, ${c}, ${d},],}`],
      ['nested', `{"result": {"regions": [{"name": "x", "box_2d": ${list}}]}}`],
      ['lists in lists', `[[${a}, ${b}], [${c}, ${d}]]`],
      ['two corners', `(${a},${b}),(${c},${d})`],
      ['double brackets', `[[${a}, ${b}, ${c}, ${d}]]`],
      ['cut short after the box', `{"bbox_2d": ${list}, "label": "the to`],
      ['after reasoning', `<think>Perhaps ${other}? No.</think>\n${list}`],
      ['reasoning that the template opened', `Perhaps ${other}? No.\n</think>\n\n${list}`],
      ['after 4,000 tokens', `${rambling}{"bbox_2d": ${list}}`],
      ['a list in prose before the named box', `Of [1, 2, 3, 4] I take "bbox_2d": ${list}.`],
      ['single quotes', `{'bbox_2d': ${list}}`],
      ['Python', `bbox_2d = (${a}, ${b}, ${c}, ${d})`],
      ['floats', `[${[a, b, c, d].map(n => (n ?? 0).toFixed(4)).join(', ')}]`],
      ['exponents', `[${[a, b, c, d].map(n => (n ?? 0).toExponential()).join(', ')}]`],
      ['swapped ends', `[${c}, ${d}, ${a}, ${b}]`],
      ['a tool call', `<tool_call>{"name": "zoom", "arguments": {"bbox_2d": ${list}}}</tool_call> ${other}`],
    ]
    for (const [name, text] of rows) t.same(place(text), { box }, name)
    t.same(place('', `{"bbox_2d": ${list}, "label": "x"}`), { box }, 'parsed by the server')
    t.same(place(`Or ${other}`, '{"label": "x"}', `{"bbox_2d": ${list}}`), { box }, 'the first call that has one')
    const corners = `{"x1": ${a}, "y1": ${b}, "x2": ${c}, "y2": ${d}}`
    t.same(place(corners), { box: [10, 20, 30, 40] }, 'named corners, whatever the order')
    t.same(place(`{"ymin": "${b}", "xmin": "${a}", "ymax": "${d}", "xmax": "${c}"}`), { box: [10, 20, 30, 40] })
    t.same(place(`{"bbox": {"left": ${a}, "top": ${b}, "right": ${c}, "bottom": ${d}}}`), { box: [10, 20, 30, 40] })
  })

  t.test(`${dialect.name}: past the edge`, async t => {
    const wide = `[${written(-0.2, -0.1, 1.5, 1.0001)}]`
    t.same(place(wide), { box: FULL_BOX })
    t.same(place(`[${written(1.2, 1.2, 1.5, 1.5)}]`), { problem: 'out_of_range' })
  })

  t.test(`${dialect.name}: no box`, async t => {
    const none = [
      '',
      ' \n',
      rambling,
      "I'm sorry, but I can't help with that.",
      '{"bbox_2d": null}',
      '{"bbox_2d": []}',
      '[]',
      `[${a}, ${b}, ${c}]`,
      `[${a}, ${b}, ${c}, ${d}, ${d}]`,
      '{"bbox_2d": [NaN, 0, 1, 1]}',
      '[Infinity, 0, 1, 1]',
      `[1e999, ${b}, ${c}, ${d}]`,
      '{"point_2d": [12, 13]}',
      `{"bbox_2d": [${a}, ${b}, ${c}, ${d}`,
      `{"bbox_2d": [${a}, ${b}, 1`,
      `<think>Perhaps [${a}, ${b}, ${c}, ${d}]? I have to`,
      `<think>Perhaps [${a}, ${b}, ${c}, ${d}]?</think> It is not there.`,
      '<tool_call>',
      '{"x1": 1, "y1": 2, "x2": 3}',
      '\u0000\ud800[',
    ]
    for (const text of none) t.equal(read(text), null, text.slice(0, 60))
    t.equal(read('', 'not JSON', '{}', 'null'), null)
    t.same(place('[0, 0, 0, 0]'), { problem: 'empty_box' })
    t.same(place(`[${a}, ${b}, ${a}, ${d}]`), { problem: 'empty_box' })
  })
}

t.test('hostile texts take no time', async t => {
  const start = performance.now()
  const [dialect] = DIALECTS
  for (const text of [
    '['.repeat(200_000),
    '[1,'.repeat(100_000),
    `"bbox_2d": [${' '.repeat(200_000)}`,
    `${'bbox:'.repeat(50_000)}`,
    `[${'1'.repeat(200_000)}`,
    '<think>'.repeat(50_000),
    'x1: 1 '.repeat(50_000),
    `[1${' '.repeat(90)}`.repeat(1000),
    '(1,2),'.repeat(50_000),
  ])
    dialect?.read({ text, toolCalls: [text] })
  t.ok(performance.now() - start < 3000, `${Math.round(performance.now() - start)} ms`)
})
