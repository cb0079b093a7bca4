import { execFileSync } from 'node:child_process'
import t from 'tap'
import { ALLOCATOR } from '../../../../src/engine/parent/process/allocator.js'

/**
 * Buffers of 5 to 25 MiB, and smaller ones between them that stay, in rounds; it prints how many MiB are resident when the
 * large ones are gone.
 */
const PROGRAM = `
  const stays = []
  for (let round = 0; round < 6; round++) {
    let large = []
    for (let i = 0; i < 10; i++) {
      large.push(Buffer.alloc((5 + ((7 * round + 3 * i) % 20)) * 2 ** 20, 1))
      stays.push(Buffer.alloc(200_000, 1))
    }
    large = null
    gc()
  }
  setTimeout(() => process.stdout.write(String(process.memoryUsage.rss() / 2 ** 20)), 50)
`

function resident(env: Readonly<Record<string, string>>): number {
  const { PATH = '' } = process.env
  return Number(execFileSync(process.execPath, ['--expose-gc', '-e', PROGRAM], { env: { PATH, ...env } }))
}

const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
const noGlibc = header.glibcVersionRuntime === undefined && 'another allocator'

t.test('memory that tensors took goes back to the system', { skip: noGlibc }, async t => {
  const [ours, others] = [resident(ALLOCATOR), resident({ MALLOC_ARENA_MAX: '1' })]
  t.ok(ours < 150, `${ours} MiB`)
  t.ok(ours < others, `${others} MiB without`)
})
