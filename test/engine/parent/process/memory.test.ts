import { spawn } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { ProcessMemory } from '../../../../src/engine/parent/process/memory.js'

function meter() {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { memory: new ProcessMemory(log), lines }
}

/** Puts a program of that name first in PATH, or leaves nothing there. */
function inPath(t: Test, script: string | null) {
  const dir = t.testdir(script === null ? {} : { 'nvidia-smi': `#!/bin/sh\n${script}\n` })
  if (script !== null) chmodSync(`${dir}/nvidia-smi`, 0o755)
  const before = process.env.PATH
  process.env.PATH = script === null ? dir : `${dir}:${before}`
  t.teardown(() => {
    process.env.PATH = before
  })
  return dir
}

t.test('resident bytes of each process that is there', async t => {
  const child = spawn(process.execPath, ['-e', "console.log('up'); setInterval(() => {}, 1e6)"])
  t.teardown(() => child.kill())
  await new Promise(resolve => child.stdout.once('data', resolve))
  const resident = meter().memory.resident([process.pid, null, child.pid ?? null, 2 ** 22 + 1])
  t.same([...resident.keys()], [0, 2])
  const own = process.memoryUsage().rss
  const told = resident.get(0) ?? 0
  t.ok(told > own / 2 && told < own * 2, `${told} of ${own}`)
})

t.test('GPU bytes as nvidia-smi tells, of our processes alone', async t => {
  const table = ['101, 1000', '202, 300', '101, 24', '303, [N/A]', '7, 5'].join('\\n')
  const dir = inPath(t, `echo "$@" > "$(dirname "$0")/asked"; printf '${table}\\n'`)
  const { memory, lines } = meter()
  const used = await memory.device([101, null, 202, 303, 404], 'cuda')
  t.same(
    [...used],
    [
      [0, 1024 * 2 ** 20],
      [2, 300 * 2 ** 20],
    ],
  )
  t.same(lines, [])
  t.equal((await memory.device([101], 'cpu')).size, 0, 'a CPU has no memory of its own')
  t.equal(
    readFileSync(`${dir}/asked`, 'utf8').trim(),
    '--query-compute-apps=pid,used_memory --format=csv,noheader,nounits',
  )
})

for (const [name, script] of [
  ['is absent', null],
  ['fails', 'echo "NVIDIA-SMI has failed" >&2; exit 9'],
] as const)
  t.test(`where nvidia-smi ${name}: nothing, said once`, async t => {
    inPath(t, script)
    const { memory, lines } = meter()
    t.equal((await memory.device([101], 'cuda')).size, 0)
    t.equal((await memory.device([101], 'cuda')).size, 0)
    t.match(lines, [{ msg: /nvidia-smi cannot be run: no cropvlm_gpu_memory_bytes/, reason: /nvidia-smi/ }])
    t.equal(lines.length, 1)
  })
