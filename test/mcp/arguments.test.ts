import t from 'tap'
import { readArguments } from '../../src/mcp/arguments.js'

t.test('a question, or a box', async t => {
  t.same(readArguments({ image: ' a.png\n', question: ' What is it? ' }), {
    image: 'a.png',
    question: 'What is it?',
    box: null,
    label: null,
    expand: 1,
  })
  const given = { image: 'a.png', question: 'What?', bbox_2d: [0, 10.5, 1000, 20], label: 'x', expand: 2 }
  t.match(readArguments(given), { question: null, box: [0, 10.5, 1000, 20], label: 'x', expand: 2 }, 'the box counts')
})

t.test('what is wrong says what to do', async t => {
  const image = 'a.png'
  const rows: [given: unknown, says: RegExp][] = [
    [{}, /^image must be a text/],
    [{ image: '  ', question: 'x' }, /image is blank/],
    [{ image }, /Give question .* or bbox_2d/],
    [{ image, question: ' \n' }, /Give question/],
    [{ image, question: 7 }, /question must be a text/],
    [{ image, bbox_2d: [0, 0, 10] }, /four numbers/],
    [{ image, bbox_2d: '[0,0,10,10]' }, /four numbers/],
    [{ image, bbox_2d: [0, 0, 1920, 1080] }, /0 to 1000.*not pixels/],
    [{ image, bbox_2d: [-1, 0, 10, 10] }, /0 to 1000/],
    [{ image, bbox_2d: [10, 0, 10, 10] }, /\[10, 0, 10, 10\], which holds nothing: .*x1 less than x2/],
    [{ image, bbox_2d: [0, 50, 10, 40] }, /y1 less than y2/],
    [{ image, question: 'x', expand: 0.5 }, /expand must be a number from 1 to 10/],
    [{ image, question: 'x', label: 'y'.repeat(201) }, /label must be/],
    [
      { file_path: 'a.png', question: 'x' },
      /image must be .*"file_path" is no argument of zoom_image, which takes image/,
    ],
  ]
  for (const [given, says] of rows)
    t.throws(() => readArguments(given), { name: 'ToolError', message: says }, JSON.stringify(given).slice(0, 80))
})
