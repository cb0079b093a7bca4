import { Worker } from 'node:worker_threads'

/** How often the thread looks, in milliseconds. */
const EVERY_MS = 200

/**
 * The thread's program, as a text: a file of its own would need this process's loader. Node tells a process that its parent
 * has gone only through its event loop, which a run of the native library blocks for as long as it takes, maybe for ever.
 */
const PROGRAM = `
const { rmSync } = require('node:fs')
const { workerData: { parent, folder, everyMs } } = require('node:worker_threads')
setInterval(() => {
  if (process.ppid === parent) return
  try {
    if (folder !== null) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
  } finally {
    process.kill(process.pid, 'SIGKILL')
  }
}, everyMs)
`

/**
 * Ends this process when its parent has ended, whatever it is doing then.
 * @param parent Its pid, where this process may start so late that its parent has ended by then.
 * @param folder What is removed before.
 */
export function endWithParent(parent = process.ppid, folder: string | null = null): void {
  const thread = new Worker(PROGRAM, {
    eval: true,
    execArgv: [],
    stdin: false,
    workerData: { parent, folder, everyMs: EVERY_MS },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  })
  thread.unref()
}
