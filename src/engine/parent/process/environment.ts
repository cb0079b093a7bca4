/** Variables with a key or a password in them, by their names: the engine process has no use for any. */
const SECRET = /key|token|secret|passw|credential|headers|proxy/i

/** The environment of an engine process: `own` without secrets. */
export function engineEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    // glibc's allocator has several arenas, and each keeps the memory that an image or a tile once took, tens of
    // megabytes. One arena is enough: the threads of a run hardly allocate.
    MALLOC_ARENA_MAX: '1',
    ...Object.fromEntries(Object.entries(own).filter(([name]) => !SECRET.test(name))),
  }
}
