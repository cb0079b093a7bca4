/** Which allocator an engine process has, and how it works. Variables of allocators that are not there are read by nobody. */
import { existsSync } from 'node:fs'

/**
 * glibc's. One arena: each of several keeps the memory that an image or a tile once took, and the threads of a run hardly
 * allocate.
 *
 * Blocks of 4 MiB and more come from the system and go back to it. Left alone, glibc raises this limit to 32 MiB as such
 * blocks are freed (mallopt(3), M_MMAP_THRESHOLD), and from then on tensors are cut from one heap, between small blocks that
 * stay: over pages of many sizes it grew to a gigabyte, most of it for nothing. Fresh pages cost time for being cleared,
 * which pages of 2 MiB win back, where the system has them (`transparent_hugepage`, `madvise` or `always`; glibc 2.35).
 */
export const GLIBC: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(4 * 2 ** 20),
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
}

/**
 * jemalloc's. It gives back what has been free for a second wherever it lies, where glibc keeps all below the highest block
 * in use. Over 40 receipts of many sizes a process held 202 MiB at least with jemalloc, 273 with glibc as above and 582 with
 * glibc as it comes, in the same processor time as the second (`npm run allocators`).
 *
 * Pages of 2 MiB save a seventh of the processor time. What is free is unmapped (`retain:false`): where it stays mapped, the
 * kernel (khugepaged) makes such pages of what is in use and of the holes beside it, which so are taken again.
 */
export const JEMALLOC: Readonly<Record<string, string>> = {
  MALLOC_CONF: 'narenas:1,background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,retain:false,thp:always',
}

/** Where Linux distributions have it: Debian and Ubuntu (`libjemalloc2`), Fedora, Arch, Alpine. */
const FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib', '/usr/local/lib']

/**
 * The environment that gives a process its allocator: jemalloc where it is installed, else the system's. What `own` says
 * stays: with `LD_PRELOAD` in it, an empty one too, nothing is loaded.
 */
export function allocatorEnvironment(
  own: NodeJS.ProcessEnv,
  isThere: (path: string) => boolean = existsSync,
): Record<string, string> {
  const library = FOLDERS.map(folder => `${folder}/libjemalloc.so.2`).find(file => isThere(file))
  const preload = own.LD_PRELOAD === undefined && library !== undefined ? { LD_PRELOAD: library } : {}
  return { ...GLIBC, ...JEMALLOC, ...preload }
}
