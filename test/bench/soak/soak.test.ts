/** Some seconds of the soak against a service of its own. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { soak } from '../../../bench/soak/soak.js'
import { compiledService } from '../../support/compiled.js'

t.test('every reply is one that its request may have, through a kill of the engine', async t => {
  const csv = join(t.testdir({}), 'samples.csv')
  const serviceLog = join(t.testdirName, 'service.log')
  const main = join(compiledService(), 'main.js')
  const plan = {
    seconds: 5,
    seed: 5,
    cropper: 'onnx',
    callers: 4,
    fillFiles: 1,
    collects: true,
    csv,
    serviceLog,
    main,
  } as const
  const result = await soak({ ...plan, log: () => {} })
  t.same(result.faults, [])
  t.equal(result.kills[0]?.signal, 'SIGKILL')
  t.ok(result.requests.length > 10, 'many kinds of requests')
  t.ok(result.requests.some(({ statuses }) => statuses[200]))
  t.match(readFileSync(serviceLog, 'utf8'), /the engine process was killed by SIGKILL/)
  const [head, ...lines] = readFileSync(csv, 'utf8').trim().split('\n')
  t.match(head, /^hours,stage,http_mb,http_fds,engine_pid,engine_mb,engine_fds/)
  t.equal(lines.length, result.samples.length)
  t.ok(result.samples.some(({ engine_mb, http_mb }) => (engine_mb ?? 0) > 10 && (http_mb ?? 0) > 10))
})
