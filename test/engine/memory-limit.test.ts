import t from 'tap'
import { defaultMemoryLimit } from '../../src/engine/memory-limit.js'

t.test('three quarters of the machine, or of what the container may use of it', async t => {
  t.equal(defaultMemoryLimit(8e9, 0), 6e9, 'nobody says more')
  t.equal(defaultMemoryLimit(8e9, 4e9), 3e9)
  t.equal(defaultMemoryLimit(8e9, 2 ** 63), 6e9, 'a cgroup without a limit')
})
