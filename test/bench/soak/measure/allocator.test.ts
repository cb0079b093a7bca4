/** What jemalloc tells, read from a service's log. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AllocatorLog, EVERY_BYTES, tellingAllocator } from '../../../../bench/soak/measure/allocator.js'
import { allocatorEnvironment, JEMALLOC } from '../../../../src/engine/parent/process/allocator.js'

const logged = (line: string) => `${JSON.stringify({ level: 40, engine: 7, msg: line })}\n`

t.test('the last table counts', async t => {
  const file = join(t.testdir({ 'service.log': '' }), 'service.log')
  const log = new AllocatorLog(file)
  t.same(log.read(), { small: null, large: null })
  appendFileSync(file, logged('small:         2097152          137437    137437') + logged('large: 47185920 57'))
  t.same(log.read(), { small: 2, large: 45 })
  const line = logged('small:                        3145728          1    1')
  appendFileSync(file, line.slice(0, 50))
  t.same(log.read(), { small: 2, large: 45 }, 'a line that is still being written')
  appendFileSync(file, line.slice(50) + logged('total: 9999999999 1') + logged('a question about small: 5 '))
  t.same(log.read(), { small: 3, large: 45 })
  appendFileSync(file, logged('small: 1048576 1'))
  log.forget()
  t.same(log.read(), { small: null, large: null }, 'what an engine told that has ended')
})

t.test('settings of the environment stay', async t => {
  t.match(tellingAllocator({}).MALLOC_CONF, `${JEMALLOC.MALLOC_CONF},stats_interval:`)
  t.match(tellingAllocator({ MALLOC_CONF: 'thp:never' }).MALLOC_CONF, /^thp:never,stats_interval:/)
})

const env = { ...allocatorEnvironment({}), ...tellingAllocator({}) }
const skip = env.LD_PRELOAD === undefined && 'libjemalloc2 is not installed'

t.test('an installed jemalloc tells in these words', { skip }, async t => {
  const give = `for (let given = 0; given < ${1.1 * EVERY_BYTES}; given += 2 ** 25) Buffer.allocUnsafe(2 ** 25)`
  const { stderr } = spawnSync(process.execPath, ['-e', give], { env, encoding: 'utf8' })
  const file = join(t.testdir({}), 'service.log')
  writeFileSync(file, stderr.split('\n').map(logged).join(''))
  const { small, large } = new AllocatorLog(file).read()
  t.ok(small !== null && small > 0.1 && small < 100, `${small} MiB of small objects`)
  t.ok(large !== null && large > 1, `${large} MiB of large ones`)
})
