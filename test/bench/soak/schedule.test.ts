import t from 'tap'
import { killSignal, makeSchedule } from '../../../bench/soak/schedule.js'

t.test('how the time is shared', async t => {
  t.same(makeSchedule(3600), { kills: 300, settledBy: 1200, fullBy: 1800, measuredUntil: 3300, end: 3600 })
  t.same(makeSchedule(60), { kills: 6, settledBy: 20, fullBy: 30, measuredUntil: 54, end: 60 })
  t.match(makeSchedule(7200), { settledBy: 2400, fullBy: 3600 })
})

t.test('a process is killed, then one is stopped', async t => {
  t.same(
    [0, 1, 2, 3].map(number => killSignal(number, 300)),
    ['SIGKILL', 'SIGSTOP', 'SIGKILL', 'SIGSTOP'],
  )
  t.equal(killSignal(1, 6), 'SIGKILL', 'no time to find out')
})
