import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { interval, MACHINE_CLOCK } from '../../src/vlm/stages.js'
import { compiledService } from '../support/compiled.js'

t.test('both ends on the clock of the machine', async t => {
  const { stage, start, end } = interval('decode', 10, 12.5)
  t.equal(stage, 'decode')
  t.equal(start, 10 + MACHINE_CLOCK)
  t.equal(end - start, 2.5)
})

t.test('another process reads the same clock', async t => {
  const stages = pathToFileURL(`${compiledService()}/vlm/stages.js`)
  const script = `import { MACHINE_CLOCK } from '${stages}'; console.log(performance.now() + MACHINE_CLOCK)`
  const before = performance.now() + MACHINE_CLOCK
  const there = Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
  const after = performance.now() + MACHINE_CLOCK
  t.ok(before < there && there < after, `${before} < ${there} < ${after}`)
})
