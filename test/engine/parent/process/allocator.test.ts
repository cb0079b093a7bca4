import { execFileSync } from 'node:child_process'
import t from 'tap'
import { allocatorEnvironment, GLIBC, JEMALLOC } from '../../../../src/engine/parent/process/allocator.js'

/**
 * Buffers of 5 to 25 MiB, and smaller ones between them that stay, in rounds; it prints how many MiB are resident when the
 * large ones are gone.
 */
const LARGE = `
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
/** 200 MiB in pieces of 1 MiB, above which something small stays. */
const SMALL = `
  let pieces = Array.from({ length: 200 }, () => Buffer.alloc(2 ** 20, 1))
  const stays = Array.from({ length: 200 }, () => Buffer.alloc(20_000, 1))
  pieces = null
  gc()
  setTimeout(() => {
    process.stdout.write(String(process.memoryUsage.rss() / 2 ** 20), () => process.exit(stays.length - 200))
  }, 3000)
`

function resident(program: string, env: Readonly<Record<string, string>>): number {
  const { PATH = '' } = process.env
  return Number(execFileSync(process.execPath, ['--expose-gc', '-e', program], { env: { PATH, ...env } }))
}

const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
const noGlibc = header.glibcVersionRuntime === undefined && 'another allocator'
const jemalloc = allocatorEnvironment({})
const noJemalloc = jemalloc.LD_PRELOAD === undefined && 'jemalloc is not installed (libjemalloc2)'

t.test('memory that tensors took goes back to the system', { skip: noGlibc }, async t => {
  const [ours, others] = [resident(LARGE, GLIBC), resident(LARGE, { MALLOC_ARENA_MAX: '1' })]
  t.ok(ours < 150, `${ours} MiB`)
  t.ok(ours < others, `${others} MiB without`)
})

t.test('what is free below something that stays goes back too, with jemalloc', { skip: noJemalloc }, async t => {
  const [ours, others] = [resident(SMALL, jemalloc), resident(SMALL, GLIBC)]
  t.ok(ours < 150, `${ours} MiB`)
  t.ok(others > 200, `${others} MiB without`)
  t.ok(resident(LARGE, jemalloc) < 150)
})

t.test('jemalloc is taken where it is installed, and what the operator says stays', async t => {
  const debian = '/usr/lib/aarch64-linux-gnu/libjemalloc.so.2'
  const there = (path: string) => path === debian
  t.same(allocatorEnvironment({}, there), { ...GLIBC, ...JEMALLOC, LD_PRELOAD: debian })
  t.same(
    allocatorEnvironment({}, () => false),
    { ...GLIBC, ...JEMALLOC },
  )
  for (const LD_PRELOAD of ['', '/opt/libother.so'])
    t.same(allocatorEnvironment({ LD_PRELOAD }, there), { ...GLIBC, ...JEMALLOC })
})
