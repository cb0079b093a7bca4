/** `answer` and the real service over HTTP, with the tiny model as the cropper and endpoints as targets. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { answer } from '../../../src/cli/commands/answer.js'
import { testWorld } from '../../support/cli/world.js'
import { completion, upstream } from '../../support/fakes/upstream.js'
import { startReal, tinyModel } from '../../support/real.js'
import { noise } from '../../support/scripted.js'

t.setTimeout(120_000)

t.test('answers on stdout, what is to be known on stderr', async t => {
  const target = await upstream(t, completion('Blue.'))
  const cwd = t.testdir({})
  writeFileSync(join(cwd, 'a.png'), await noise(120, 90))
  const { url } = await startReal(t, {
    CROPPER_MODEL: tinyModel('tiny-box'),
    NO_PROXY: '*',
    TARGETS: JSON.stringify([
      { name: 'one', base_url: 'http://127.0.0.1:9/v1', model: 'm' },
      { name: 'two', base_url: target.baseUrl, model: 'big' },
    ]),
  })
  const { run: runAll, out, err } = testWorld({ cwd })
  const run = (...args: string[]) => runAll([answer], 'answer', ...args, '--url', url)

  const args = ['a.png', 'Which?', '--target', 'two', '--compare', '--max-tokens', '9', '--expand', '2']
  t.equal(await run(...args), 0)
  t.equal(out(), 'Blue.\n')
  t.match(
    err(),
    /^two \(big\) answered; box \d+ \d+ \d+ \d+, zoomed, confidence [01]\.\d\d\nwithout the crop: Blue\. \(the same\)\n$/,
  )
  t.match(
    target.received.map(({ body }) => body),
    [{ max_tokens: 9 }, { max_tokens: 9 }],
  )

  const two = ['--question', 'Which?', '--question', 'What?', '--target', 'two', '--mode', 'full']
  t.equal(await run('a.png', ...two, '--json'), 0)
  const replies = out()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(replies, [
    { file: 'a.png', question: 'Which?', object: 'answer', answer: 'Blue.', target: { name: 'two' } },
    { file: 'a.png', question: 'What?' },
  ])
  err()

  t.equal(await run('a.png', 'Which?'), 1)
  t.equal(out(), '')
  t.equal(err(), 'a.png: The connection to the target failed: it is down, or it hung up.\n')
  await t.rejects(run('a.png', 'Which?', '--max-tokens', 'many'), {
    exitCode: 2,
    message: /--max-tokens is "many"/,
  })
})
