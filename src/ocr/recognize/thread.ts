/** The program of a thread that reads lines: it loads the recognition's graph, says that it is ready, and takes work. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { GraphCache } from '../../vlm/onnx/optimised/cache.js'
import { openSessions, type Session } from '../../vlm/onnx/session.js'
import { type NumberedReading, readLines, type Work } from './work.js'

/** What the thread is started with. */
export interface ThreadOptions {
  /** Path of the recognition's graph. */
  recognition: string
  characters: readonly string[]
  /** Threads of one run. */
  threads: number
  /** Where optimised graphs are kept; null: nowhere. */
  cache: Omit<GraphCache, 'log'> | null
}

/** What the thread is sent. The answer comes through `port`. */
export interface ThreadRequest {
  work: Work
  port: MessagePort
}

export type ThreadReply = { readings: readonly NumberedReading[] } | { error: unknown }

const { recognition, characters, threads, cache: kept } = workerData as ThreadOptions
// the main thread has opened the same graph before, and its log has said what there is to say
const cache = kept && { ...kept, log: () => {} }
const { sessions } = await openSessions([recognition], 'cpu', threads, cache)

parentPort?.on('message', ({ work, port }: ThreadRequest) => {
  readLines(sessions[0] as Session, characters, work, async () => {})
    .then((readings): ThreadReply => ({ readings }))
    .catch((error: unknown): ThreadReply => ({ error }))
    .then(reply => port.postMessage(reply))
})
parentPort?.postMessage('ready')
