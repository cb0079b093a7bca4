import t from 'tap'
import { Lazy } from '../../src/mcp/lazy.js'

const { signal } = new AbortController()

t.test('is started once, for all who need it, and ended', async t => {
  let started = 0
  const ended: number[] = []
  const lazy = new Lazy(
    async () => ++started,
    async value => void ended.push(value),
  )
  t.equal(lazy.isReady, false)
  t.same(await Promise.all([lazy.get(signal), lazy.get(signal)]), [1, 1])
  t.equal(lazy.isReady, true)
  await Promise.all([lazy.close(), lazy.close()])
  t.same([started, ended], [1, [1]])
  await t.rejects(lazy.get(signal), /closed/)
})

t.test('a start that failed is tried again; one that nobody asked for is not ended', async t => {
  let tries = 0
  const lazy = new Lazy(
    async () => {
      tries += 1
      if (tries === 1) throw new Error('not yet')
      return tries
    },
    async () => void t.fail('ended'),
  )
  await t.rejects(lazy.get(signal), /not yet/)
  t.equal(lazy.isReady, false)
  t.equal(await lazy.get(signal), 2)
  await new Lazy(
    async () => t.fail('started'),
    async () => void t.fail('ended'),
  ).close()
})

t.test('who gives up does not stop the start', async t => {
  let begin = (_value: string) => {}
  const lazy = new Lazy(
    () =>
      new Promise<string>(resolve => {
        begin = resolve
      }),
    async () => {},
  )
  const abort = new AbortController()
  const given = lazy.get(abort.signal)
  const other = lazy.get(signal)
  abort.abort(new Error('enough'))
  await t.rejects(given, /enough/)
  await t.rejects(lazy.get(abort.signal), /enough/)
  begin('ready')
  t.equal(await other, 'ready')
})
