import { mock } from 'node:test'
import t from 'tap'
import { tellProgress } from '../../src/mcp/progress.js'

t.test('each stage is told, and again while it lasts', async t => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const told: unknown[] = []
  const progress = tellProgress({
    token: 'x',
    notify: async params => {
      told.push(params)
      throw new Error('the host has gone')
    },
  })
  progress.stage('loading')
  mock.timers.tick(2000)
  progress.stage('looking')
  progress.end()
  mock.timers.tick(20_000)
  t.same(told, [
    { progressToken: 'x', progress: 1, message: 'loading' },
    { progressToken: 'x', progress: 2, message: 'loading' },
    { progressToken: 'x', progress: 3, message: 'looking' },
  ])
})

t.test('a host that does not ask is told nothing', async t => {
  let told = 0
  const progress = tellProgress({
    token: undefined,
    notify: async () => {
      told += 1
    },
  })
  progress.stage('loading')
  progress.end()
  t.equal(told, 0)
})
