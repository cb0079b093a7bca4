import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { CropVlmError } from '../../errors.js'
import type { ThreadOptions, ThreadReply, ThreadRequest } from './thread.js'
import type { NumberedReading, Work } from './work.js'

/**
 * Most of V8's heap in such a thread, in MiB; it takes 7. V8 looks for garbage when a share of this is reached. Without a limit
 * that was never, in an hour of requests: a thread's heap grew by 20 MiB an hour, and what hung on its garbage outside of it
 * (pixels, tensors) stayed as well.
 */
const MAX_HEAP_MB = 32

/** A thread that reads lines. It does not keep the process alive unless it has work; if it dies, so does the process. */
export class LineThread {
  private constructor(private readonly worker: Worker) {
    worker.unref()
  }

  /** @throws CropVlmError invalid_model if the thread cannot load its graph */
  static async start(options: ThreadOptions): Promise<LineThread> {
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
    const worker = new Worker(new URL(`./thread${extension}`, import.meta.url), {
      workerData: options,
      // a test's thread holds the compiler as well
      resourceLimits: extension === '.js' ? { maxOldGenerationSizeMb: MAX_HEAP_MB } : {},
    })
    try {
      await once(worker, 'message')
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : cause
      throw new CropVlmError('invalid_model', `A thread of the text reader did not start (${why}).`, { cause })
    }
    return new LineThread(worker)
  }

  /** Takes lines of some work until none is left. */
  async read(work: Work): Promise<readonly NumberedReading[]> {
    const { port1, port2 } = new MessageChannel()
    try {
      this.worker.postMessage({ work, port: port2 } satisfies ThreadRequest, [port2])
      const [reply] = (await once(port1, 'message')) as [ThreadReply]
      if ('error' in reply) throw reply.error
      return reply.readings
    } finally {
      port1.close()
    }
  }
}
