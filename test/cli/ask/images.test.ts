import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { readAsked } from '../../../src/cli/ask/images.js'
import { testWorld } from '../../support/cli/world.js'

t.test('images, then the question; or --question for each', async t => {
  const cwd = t.testdir({ 'a.png': 'A', folder: { 'b.png': 'B' } })
  const { world } = testWorld({ cwd, stdin: Readable.from([Buffer.from('std'), Buffer.from('in')]) })
  const one = await readAsked('crop', ['a.png', '-', join(cwd, 'folder/b.png'), 'What?'], [], world)
  t.same(one.questions, ['What?'])
  t.same(
    one.images.map(({ name }) => name),
    ['a.png', '-', join(cwd, 'folder/b.png')],
  )
  const texts = await Promise.all(one.images.map(async image => Buffer.from(await image.read()).toString()))
  t.same(texts, ['A', 'stdin', 'B'])
  const two = await readAsked('crop', ['a.png', 'folder/b.png'], ['Who?', 'When?'], world)
  t.match(two, { questions: ['Who?', 'When?'], images: [{ name: 'a.png' }, { name: 'folder/b.png' }] })
})

t.test('what is missing is said before anything is asked', async t => {
  const cwd = t.testdir({ 'page.png': '', 'receipt-2024.jpg': '', folder: {} })
  const { world } = testWorld({ cwd })
  for (const [args, questions, exitCode, message] of [
    [['What?'], [], 2, /Give at least one image .* cropvlm crop page\.png/],
    [['page.png', ' '], [], 2, /Give at least one image/],
    [[], ['What?'], 2, /Give at least one image/],
    [['page.png', 'receipt-2024.jpg'], [], 2, /^receipt-2024\.jpg is a file, so the question is missing\./],
    [['-', 'page.png', '-', 'What?'], [], 2, /stdin \(-\) can be read only once/],
    [['pgae.png', 'What?'], [], 3, 'There is no file pgae.png; did you mean page.png?'],
    [['folder/page.png', 'What?'], [], 3, 'There is no file folder/page.png; check its name and folder'],
    [['page.png/x', 'What?'], [], 3, /^There is no file page\.png\/x; check/],
    [
      ['page.png', 'reciept-2024.jpg', 'folder', 'What?'],
      [],
      3,
      'There is no file reciept-2024.jpg; did you mean receipt-2024.jpg?\nfolder is a folder; name its files, or use cropvlm batch.',
    ],
  ] as const)
    await t.rejects(readAsked('crop', args, questions, world), { name: 'CliError', exitCode, message }, args.join(' '))
  const stdin = Object.assign(Readable.from([]), { isTTY: true })
  await t.rejects(readAsked('answer', ['-', 'What?'], [], { ...world, stdin }), {
    exitCode: 2,
    message: /cropvlm answer - .* < page\.png/,
  })
})

t.test('what has no end is not read', { skip: process.platform !== 'linux' }, async t => {
  const endless = Readable.from(
    (function* () {
      const chunk = Buffer.alloc(16 * 2 ** 20)
      for (;;) yield chunk
    })(),
  )
  const { world } = testWorld({ cwd: t.testdir(), stdin: endless })
  const { images } = await readAsked('crop', ['-', 'What?'], [], world)
  await t.rejects(async () => images[0]?.read(), {
    message: 'stdin has more than 536870912 bytes, the most that is read; is it the right one?',
  })
  t.ok(endless.destroyed)
})
