import t from 'tap'
import { statusBytes } from '../../src/process/proc-status.js'

const onlyLinux = { skip: process.platform === 'linux' ? false : 'Linux alone tells' }

t.test('what the system tells of a process, in bytes', onlyLinux, async t => {
  const [resident, unknown, peak] = statusBytes(process.pid, 'VmRSS', 'VmNothing', 'VmHWM')
  t.ok(resident && peak && resident > 10 * 2 ** 20 && resident <= peak, `${resident} of ${peak}`)
  t.equal(unknown, null)
})

t.test('of no process it tells nothing', async t => {
  t.same(statusBytes(2 ** 22 + 1, 'VmRSS', 'VmHWM'), [null, null])
})
