import { allocatorEnvironment } from './allocator.js'

/** Variables with a key or a password in them, by their names: the engine process has no use for any. */
const SECRET = /key|token|secret|passw|credential|headers|proxy/i

/** The environment of an engine process: `own` without secrets, and what makes its allocator where `own` says nothing of it. */
export function engineEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const plain = Object.fromEntries(Object.entries(own).filter(([name]) => !SECRET.test(name)))
  return { ...allocatorEnvironment(own), ...plain }
}
