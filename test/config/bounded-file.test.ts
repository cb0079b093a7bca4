import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readBounded, readBoundedSync } from '../../src/config/bounded-file.js'

t.test('files and links to files, up to the limit', async t => {
  const dir = t.testdir({ file: 'abc', empty: '', long: 'a'.repeat(20_000) })
  symlinkSync('file', join(dir, 'link'))
  t.equal(readBoundedSync(join(dir, 'file'), 3).toString(), 'abc')
  t.equal(readBoundedSync(join(dir, 'link'), 3).toString(), 'abc')
  t.equal(readBoundedSync(join(dir, 'empty'), 3).toString(), '')
  t.equal(readBoundedSync(join(dir, 'long'), 20_000).length, 20_000)
  t.throws(() => readBoundedSync(join(dir, 'file'), 2), { code: 'TOO_LARGE', message: 'has more than 2 bytes' })
  t.throws(() => readBoundedSync(join(dir, 'none'), 2), { code: 'ENOENT' })
  t.throws(() => readBoundedSync(dir, 2), { code: 'EISDIR' })
})

t.test('what has no end is not read', { skip: process.platform !== 'linux' }, async t => {
  const dir = t.testdir()
  execFileSync('mkfifo', [join(dir, 'pipe')])
  const message = 'is a pipe, a device or a socket, and no file'
  t.throws(
    () => readBoundedSync(join(dir, 'pipe'), 2),
    { code: 'NOT_A_FILE', message },
    'a pipe to which nobody writes',
  )
  t.throws(() => readBoundedSync('/dev/zero', 2), { code: 'NOT_A_FILE', message })
  // its size is said to be 0
  t.throws(() => readBoundedSync('/proc/self/maps', 100), { code: 'TOO_LARGE' })
  t.match(readBoundedSync('/proc/self/maps', 10_000_000).toString(), /\[stack\]/)
})

t.test('the same without blocking', async t => {
  const dir = t.testdir({ file: 'abc', long: 'a'.repeat(3_000_000) })
  t.equal((await readBounded(join(dir, 'file'), 3)).toString(), 'abc')
  t.equal((await readBounded(join(dir, 'long'), 3_000_000)).toString(), 'a'.repeat(3_000_000))
  await t.rejects(readBounded(join(dir, 'file'), 2), { code: 'TOO_LARGE' })
  await t.rejects(readBounded(dir, 2), { code: 'EISDIR' })
  await t.rejects(readBounded(join(dir, 'none'), 2), { code: 'ENOENT' })
})
