/** The memory of `cropvlm batch` does not grow with the number of rows. `BATCH_ROWS=100000` measures a large batch. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { startCropServer } from '../../support/cli/crop-server.js'
import { compiledService } from '../../support/compiled.js'

t.setTimeout(7_200_000)

const ROWS = Number(process.env.BATCH_ROWS ?? 6000)
/** Of the picture in each row, so that rows that are kept would show: half as much again in base64. */
const PICTURE_BYTES = Number(process.env.BATCH_PICTURE_BYTES ?? 12_000)
/** What the process may use beyond what it used after the first third. All rows together are many times that. */
const MAX_GROWTH = 40e6

t.test(`${ROWS} rows`, { skip: process.platform !== 'linux' && 'no /proc' }, async t => {
  const cwd = t.testdir({})
  const image = `data:image/png;base64,${Buffer.alloc(PICTURE_BYTES, 'picture').toString('base64')}`
  const lines = function* () {
    for (let i = 0; i < ROWS; i++) yield `${JSON.stringify({ id: i, image, question: `Which number is ${i}?` })}\n`
  }
  await pipeline(Readable.from(lines()), createWriteStream(join(cwd, 'rows.jsonl')))
  const sizes: number[] = []
  let residentSet = () => 0
  let count = 0
  const service = await startCropServer(t, () => {
    if (++count % Math.floor(ROWS / 60) === 0) sizes.push(residentSet())
    return undefined
  })
  service.asked.push = () => 0
  const args = ['batch', 'rows.jsonl', '--out', 'out.jsonl', '--concurrency', '16', '--url', service.url]
  const main = join(compiledService(), 'cli/main.js')
  // a small heap, which one row in twenty would fill
  const child = spawn(process.execPath, ['--max-old-space-size=64', main, ...args], { cwd, stdio: 'inherit' })
  t.teardown(() => child.kill('SIGKILL'))
  residentSet = () => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1])
  const [code] = await once(child, 'exit')
  t.equal(code, 0)
  let written = 0
  for await (const chunk of createReadStream(join(cwd, 'out.jsonl'))) written += String(chunk).split('\n').length - 1
  t.equal(written, ROWS)
  const third = Math.floor(sizes.length / 3)
  const [early, late] = [sizes.slice(third, 2 * third), sizes.slice(2 * third)].map(some => Math.max(...some)) as [
    number,
    number,
  ]
  t.comment(`resident set in MB: ${sizes.map(size => (size / 1e6).toFixed(0)).join(' ')}`)
  t.ok(late - early < MAX_GROWTH, `${((late - early) / 1e6).toFixed(1)} MB more in the last third than before`)
})
