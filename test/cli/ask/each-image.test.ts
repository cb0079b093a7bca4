import t from 'tap'
import { eachImage } from '../../../src/cli/ask/each-image.js'
import { CliError, EXIT } from '../../../src/cli/command.js'
import { ClientError } from '../../../src/client/error.js'
import { testWorld } from '../../support/cli/world.js'

const images = ['a', 'b', 'c'].map(name => ({ name, read: async () => new Uint8Array() }))
const boom = new TypeError('a mistake')

t.test('an image that fails does not keep the others from being asked about', async t => {
  const { world, err } = testWorld()
  const asked: string[] = []
  const failures: Record<string, Error> = {
    a: new ClientError('image_undecodable', 'It cannot be decoded.', { status: 422 }),
    b: new ClientError('timeout', 'No reply within 5 ms; see timeoutMs.'),
  }
  const ask = async ({ name }: { name: string }) => {
    asked.push(name)
    if (failures[name]) throw failures[name]
  }
  t.equal(await eachImage(images, world, ask), EXIT.failed)
  t.same(asked, ['a', 'b', 'c'])
  t.equal(err(), 'a: It cannot be decoded.\nb: No reply within 5 ms; raise --timeout.\n')
  t.equal(await eachImage(images.slice(2), world, ask), 0)
})

t.test('where the service cannot be used, or the command is stopped, no other is asked about', async t => {
  const { world } = testWorld()
  for (const [thrown, expected] of [
    [new ClientError('unreachable', 'No service answers.'), { exitCode: EXIT.failed, message: 'No service answers.' }],
    [new ClientError('invalid_api_key', 'x', { status: 401 }), { exitCode: EXIT.notAllowed, message: /set API_KEY/ }],
    [new CliError(EXIT.usage, 'wrong'), { exitCode: EXIT.usage, message: 'wrong' }],
    [boom, { name: 'TypeError', message: 'a mistake' }],
  ] as const) {
    let calls = 0
    await t.rejects(
      eachImage(images, world, async () => {
        calls++
        throw thrown
      }),
      expected,
    )
    t.equal(calls, 1)
  }
  const stop = new AbortController()
  await t.rejects(
    eachImage(images, { ...world, signal: stop.signal }, async () => {
      stop.abort(new CliError(EXIT.interrupted, 'Stopped.'))
      throw new ClientError('aborted', 'The request was aborted.')
    }),
    { exitCode: 130, message: 'Stopped.' },
  )
})
