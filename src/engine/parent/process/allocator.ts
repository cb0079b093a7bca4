/**
 * How glibc's allocator works in an engine process; other systems' allocators do not read these variables.
 *
 * One arena: each of several keeps the memory that an image or a tile once took, and the threads of a run hardly allocate.
 *
 * Blocks of 4 MiB and more come from the system and go back to it. Left alone, glibc raises this limit to 32 MiB as such
 * blocks are freed (mallopt(3), M_MMAP_THRESHOLD), and from then on tensors are cut from one heap, between small blocks that
 * stay: over pages of many sizes it grew to a gigabyte, most of it for nothing. Fresh pages cost time for being cleared,
 * which pages of 2 MiB win back, where the system has them (`transparent_hugepage`, `madvise` or `always`; glibc 2.35).
 */
export const ALLOCATOR: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(4 * 2 ** 20),
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
}
