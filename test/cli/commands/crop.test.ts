/** `crop` and the real service over HTTP, with the tiny model. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { crop } from '../../../src/cli/commands/crop.js'
import { testWorld } from '../../support/cli/world.js'
import { startReal, tinyModel } from '../../support/real.js'
import { noise } from '../../support/scripted.js'

t.setTimeout(120_000)

t.test('boxes, pictures and replies', async t => {
  const { url } = await startReal(t, { CROPPER_MODEL: tinyModel('tiny-box'), API_KEY: 'secret' })
  const cwd = t.testdir({ folder: {}, 'text.png': 'no picture' })
  writeFileSync(join(cwd, 'a.png'), await noise(120, 90))
  writeFileSync(join(cwd, 'folder/a.png'), await noise(64, 200))
  const world = testWorld({ cwd, env: { API_KEY: 'secret' } })
  const run = (...args: string[]) => world.run([crop], 'crop', ...args, '--url', url)

  t.equal(await run('a.png', 'What\tis it?'), 0)
  const line = world.out()
  const [file, box = '', pixels = '', decision, confidence, reason, question] = line.trimEnd().split('\t')
  t.same([file, decision, reason, question], ['a.png', 'zoomed', '', 'What is it?'])
  t.match(confidence, /^[01]\.\d\d$/)
  const [x1, y1, x2, y2] = box.split(' ').map(Number) as [number, number, number, number]
  const expected = [Math.floor(1.2 * x1), Math.floor(0.9 * y1), Math.ceil(1.2 * x2), Math.ceil(0.9 * y2)]
  t.equal(pixels, expected.join(' '))
  t.equal(world.err(), '')

  const both = ['--question', 'One?', '--question', 'Two?']
  t.equal(await run('a.png', 'folder/a.png', ...both, '--json', '--crop', 'crops', '--overlay', 'boxes/'), 0)
  const replies = world
    .out()
    .trimEnd()
    .split('\n')
    .map(text => JSON.parse(text))
  t.match(replies, [
    {
      file: 'a.png',
      question: 'One?',
      object: 'crop',
      crop: { path: 'crops/a.png' },
      overlay: { path: 'boxes/a.png' },
    },
    { file: 'a.png', question: 'Two?', crop: { path: 'crops/a-2.png' }, overlay: { path: 'boxes/a-2.png' } },
    { file: 'folder/a.png', question: 'One?', image: { width: 64, height: 200 }, crop: { path: 'crops/a-3.png' } },
    { file: 'folder/a.png', question: 'Two?', overlay: { path: 'boxes/a-4.png', width: 64, height: 200 } },
  ])
  for (const { crop, overlay, bbox_pixels: pixels, ...reply } of replies) {
    t.notOk('data' in crop)
    const cut = await sharp(readFileSync(join(cwd, crop.path))).metadata()
    t.same([cut.width, cut.height, cut.format], [pixels[2] - pixels[0], pixels[3] - pixels[1], 'png'])
    const whole = await sharp(readFileSync(join(cwd, overlay.path))).metadata()
    t.same([whole.width, whole.height], [reply.image.width, reply.image.height])
  }

  t.equal(await run('text.png', 'a.png', 'What?', '--expand', '10', '--zoom', 'never', '--overlay', 'one'), 1)
  t.match(world.err(), /^text\.png: .*JPEG, PNG/)
  t.match(world.out(), /^a\.png\t0 0 100 100\t0 0 120 90\tskipped\t\S*\tnever\tWhat\?\n$/)
  await t.rejects(run('a.png', 'What?', '--expand', 'wide'), { exitCode: 2, message: /--expand is "wide"/ })
  await t.rejects(run('a.png', 'What?', '--timeout', '0'), { exitCode: 2, message: /--timeout is "0"/ })
  await t.rejects(testWorld({ cwd }).run([crop], 'crop', 'a.png', 'What?', '--url', url), {
    exitCode: 4,
    message: 'The service asks for a key; set API_KEY to it.',
  })

  const shown: string[] = []
  const terminal = testWorld({
    cwd,
    env: { API_KEY: 'secret' },
    stdout: { isTTY: true, write: text => shown.push(String(text)) },
  })
  t.equal(await terminal.run([crop], 'crop', 'a.png', 'What?', '--crop', 'out.webp', '--url', url), 0)
  t.match(
    shown.join(''),
    /^a\.png: What\?\n {2}box {9}\d+ \d+ \d+ \d+ {3}per cent: x1 y1 x2 y2\n {2}pixels {6}\d+ \d+ \d+ \d+ {3}of 120 x 90\n {2}decision {4}zoomed\n {2}confidence {2}[01]\.\d\d\n {2}crop {8}out\.webp\n$/,
  )
  t.equal((await sharp(readFileSync(join(cwd, 'out.webp'))).metadata()).format, 'webp')
})
