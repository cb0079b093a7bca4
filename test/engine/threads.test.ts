import { availableParallelism } from 'node:os'
import t from 'tap'
import { defaultThreads } from '../../src/engine/threads.js'

const cpus = availableParallelism()

/** A reader of made-up files; any other is absent. */
function files(known: Record<string, string>): (file: string) => string {
  return file => {
    const text = known[file]
    if (text === undefined) throw new Error(`ENOENT: ${file}`)
    return text
  }
}

function cpuinfo(cores: [socket: number, core: number][]): string {
  return cores.map(([socket, core]) => `processor\t: 0\nphysical id\t: ${socket}\ncore id\t\t: ${core}\n`).join('\n')
}

t.test('one for each physical core', async t => {
  const hyperThreads = cpuinfo([
    [0, 0],
    [0, 0],
  ])
  t.equal(defaultThreads(files({ '/proc/cpuinfo': hyperThreads })), 1)
  const sockets = cpuinfo([
    [0, 0],
    [1, 0],
  ])
  t.equal(defaultThreads(files({ '/proc/cpuinfo': sockets })), Math.min(2, cpus))
})

t.test('no more than the container may use', async t => {
  const cores = cpuinfo(Array.from({ length: 64 }, (_, core) => [0, core]))
  t.equal(defaultThreads(files({ '/proc/cpuinfo': cores, '/sys/fs/cgroup/cpu.max': '50000 100000\n' })), 1)
  t.equal(
    defaultThreads(files({ '/proc/cpuinfo': cores, '/sys/fs/cgroup/cpu.max': 'max 100000\n' })),
    Math.min(64, cpus),
  )
})

t.test('every CPU where the system does not tell', async t => {
  t.equal(defaultThreads(files({})), cpus)
  t.equal(defaultThreads(files({ '/proc/cpuinfo': 'processor : 0\nBogoMIPS : 50\n' })), cpus)
  t.ok(defaultThreads() >= 1)
})
