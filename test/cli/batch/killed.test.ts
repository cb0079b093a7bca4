/** `cropvlm batch`, killed twice, against a real service with a real model. `KILLED_ROWS=5000` takes a large batch. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compiledService } from '../../support/compiled.js'
import { drawnPage } from '../../support/images/drawn-page.js'
import { tinyModel } from '../../support/real.js'
import { seeded } from '../../support/scripted.js'
import { startServer } from '../../support/server.js'

t.setTimeout(600_000)

const ROWS = Number(process.env.KILLED_ROWS ?? 1200)
/** As many bytes as a row of the output has at least. */
const ROW_BYTES = 250

interface OutputRow {
  key: string
  index: number
  id: string
  error: unknown
  bbox: number[]
}

t.test(`${ROWS} pages, two kills: nothing is lost and nothing is repeated`, async t => {
  const folder = compiledService()
  const env = { CROPPER_MODEL: tinyModel('tiny-box'), THREADS: '1', LOG_LEVEL: 'info' }
  const server = startServer(t, folder, env)
  const cwd = t.testdir({})
  const row = (index: number) => ({
    id: `page ${index}`,
    image: `data:image/png;base64,${drawnPage(index).toString('base64')}`,
    question: `What is in line ${index % 5}?`,
  })
  const write = (name: string, indexes: number[]) =>
    writeFileSync(join(cwd, name), indexes.map(index => `${JSON.stringify(row(index))}\n`).join(''))
  const all = [...Array(ROWS).keys()]
  const sample = all.filter(index => index % 10 === 0)
  write('all.jsonl', all)
  write('sample.jsonl', sample)
  const url = String((await server.line('ready; try')).url)

  const start = (name: string): ChildProcess => {
    const args = ['batch', `${name}.jsonl`, '--out', `${name}.out.jsonl`, '--concurrency', '48', '--url', url]
    const child = spawn(process.execPath, [join(folder, 'cli/main.js'), ...args], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    return child
  }
  const read = (name: string) =>
    readFileSync(join(cwd, `${name}.out.jsonl`), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as OutputRow)

  const random = seeded(15)
  const out = join(cwd, 'all.out.jsonl')
  for (const kill of [1, 2]) {
    const child = start('all')
    // within the first, and then within the second third of the rows
    await untilLarger(cwd, out, ROW_BYTES * ROWS * ((kill - 1 + 0.2 + 0.7 * random()) / 3))
    child.kill('SIGKILL')
    const [, signal] = await once(child, 'exit')
    t.equal(signal, 'SIGKILL', `kill ${kill} came before the end`)
    t.equal(readdirSync(cwd).filter(name => name.endsWith('.lock')).length, 1, 'the killed process has left its lock')
  }
  const before = read('all').length
  t.ok(before < ROWS, `${before} rows are there`)
  const last = start('all')
  const [said, [code]] = await Promise.all([textOf(last), once(last, 'exit')])
  t.equal(code, 0)
  t.match(said, new RegExp(`${ROWS - before} rows written to all\\.out\\.jsonl, ${before} were there already\\.\\n$`))
  t.same(readdirSync(cwd).sort(), ['all.jsonl', 'all.out.jsonl', 'sample.jsonl'])

  const rows = read('all')
  t.equal(rows.length, ROWS)
  t.equal(new Set(rows.map(({ key }) => key)).size, ROWS)
  t.same(
    rows.map(({ index }) => index).sort((a, b) => a - b),
    all,
  )
  t.ok(rows.every(({ id, index, error }) => id === `page ${index}` && error === null))

  const uninterrupted = start('sample')
  const [[sampleCode]] = await Promise.all([once(uninterrupted, 'exit'), textOf(uninterrupted)])
  t.equal(sampleCode, 0)
  const boxes = new Map(rows.map(({ id, bbox }) => [id, bbox]))
  const wanted = read('sample')
  t.equal(wanted.length, sample.length)
  t.same(
    wanted.map(({ id }) => boxes.get(id)),
    wanted.map(({ bbox }) => bbox),
  )
  t.ok(new Set(wanted.map(({ bbox }) => String(bbox))).size > 20, 'boxes tell pages apart')
})

/** Resolves once a file of a folder has more bytes than that. */
async function untilLarger(folder: string, file: string, bytes: number): Promise<void> {
  const size = () => (existsSync(file) ? statSync(file).size : 0)
  const watcher = watch(folder)
  while (size() <= bytes) await once(watcher, 'change')
  watcher.close()
}

async function textOf(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stderr ?? []) text += chunk
  return text
}
