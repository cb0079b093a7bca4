import t from 'tap'
import { LineChild } from '../../../bench/system/line-child.js'
import { children, cpuSeconds, memoryShares, peakRssMb } from '../../../bench/system/proc.js'

t.test('what Linux tells of processes', { skip: process.platform !== 'linux' && 'no /proc' }, async t => {
  const child = new LineChild(process.execPath, ['-e', 'process.stdin.on("data", line => process.stdout.write(line))'])
  child.say({ hello: 1 })
  t.same(await child.next(), { hello: 1 })
  t.ok(children(process.pid).includes(child.pid))
  const shares = memoryShares(child.pid)
  const peak = peakRssMb([child.pid]) ?? 0
  t.ok(shares && shares.private_mb <= shares.rss_mb && shares.pss_mb <= shares.rss_mb)
  t.ok(peak >= (shares?.rss_mb ?? Infinity) && peak < 1024, `${peak} MiB for an empty Node process`)
  t.ok((cpuSeconds([child.pid]) ?? 0) > 0)
  await child.close()
  t.equal(peakRssMb([child.pid]), null, 'a process that is gone has no peak')
  await t.rejects(child.next(), /ended/)
})
