import { fork } from 'node:child_process'
import { CropVlmError } from '../../../errors.js'
import { LOOK_MS, MemoryWatch, tooMuchMemory } from '../../../process/memory-watch.js'

/**
 * Runs `writer.ts` in a process of its own: optimising needs twice the memory of the weights, and ONNX Runtime leaks
 * memory when a session is released. It ends with this process, and removes the folder then (`endWithParent`).
 * @param memoryLimit Bytes that the process may hold; null: as many as there are.
 * @throws CropVlmError engine_unavailable where it takes more; an Error where it fails otherwise
 */
export async function runWriter(file: string, folder: string, memoryLimit: number | null): Promise<void> {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
  const writer = fork(new URL(`./writer${extension}`, import.meta.url), [file, folder, String(process.pid)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // from TypeScript sources (in tests) the writer needs the same loader as this process
    execArgv: extension === '.ts' ? process.execArgv : [],
  })
  let problem: Error | null = null
  writer.on('message', message => {
    problem = new Error(String(message))
  })
  const onOver = (limit: number) => (bytes: number) => {
    problem = tooLarge(file, bytes, limit)
    writer.kill('SIGKILL')
  }
  const watch =
    memoryLimit !== null ? new MemoryWatch(() => writer.pid, memoryLimit, LOOK_MS.loading, onOver(memoryLimit)) : null
  try {
    await new Promise<void>((resolve, reject) => {
      writer.on('error', reject)
      writer.on('close', (code, signal) => {
        if (code === 0) resolve()
        else reject(problem ?? new Error(`the process that writes it ended with ${signal ?? `exit code ${code}`}`))
      })
    })
  } finally {
    watch?.stop()
  }
}

function tooLarge(file: string, bytes: number, limit: number): CropVlmError {
  return new CropVlmError(
    'engine_unavailable',
    `The process that optimises ${file} for this CPU ${tooMuchMemory(bytes, limit)} and was killed. It takes twice the memory of the weights: raise MODEL_MEMORY_LIMIT, take a smaller model or precision (MODEL_PRECISION), or set GRAPH_CACHE_DIR=off to load the graph as it is.`,
  )
}
