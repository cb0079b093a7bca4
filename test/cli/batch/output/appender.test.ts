import t from 'tap'
import { Appender } from '../../../../src/cli/batch/output/appender.js'

t.test('what arrives while one text is written goes out together, in order', async t => {
  const written: string[] = []
  const release: (() => void)[] = []
  const appender = new Appender(async text => {
    written.push(text)
    await new Promise<void>(done => release.push(done))
  })
  const all = Promise.all(['a', 'b', 'c'].map(text => appender.append(text)))
  t.same(written, ['a'])
  release.shift()?.()
  while (release.length === 0) await Promise.resolve()
  t.same(written, ['a', 'bc'])
  release.shift()?.()
  await all
  const last = appender.append('d')
  release.shift()?.()
  await last
  t.same(written, ['a', 'bc', 'd'])
})

t.test('all whose text was not written are told', async t => {
  const appender = new Appender(async () => {
    throw new Error('the disk is full')
  })
  const results = await Promise.allSettled(['a', 'b'].map(text => appender.append(text)))
  t.match(results, [
    { status: 'rejected', reason: { message: 'the disk is full' } },
    { status: 'rejected', reason: { message: 'the disk is full' } },
  ])
})
