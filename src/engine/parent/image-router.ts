import { LRUCache } from 'lru-cache'
import type { Job } from '../protocol.js'

/** How many bytes of a file its key is computed from. */
const SAMPLES = 64
/** How many images are remembered: about as many as the processes' caches can hold. */
const MAX_IMAGES = 256

/**
 * Remembers which process was given which image last, because that process may still have what it computed of the
 * image. A wrong choice costs time and nothing else, so a key computed from a sample of the file's bytes is good
 * enough.
 */
export class ImageRouter<P extends object> {
  readonly #last = new LRUCache<number, P>({ max: MAX_IMAGES })

  /** The one of `candidates` that was last given the image of `job`; undefined if none of them was. */
  choose(candidates: readonly P[], job: Job): P | undefined {
    const known = this.#last.get(imageKey(job))
    return candidates.find(candidate => candidate === known)
  }

  remember(job: Job, process: P): void {
    this.#last.set(imageKey(job), process)
  }
}

/**
 * A 32-bit FNV-1a hash of the length of the job's first image and of bytes from all over it: the first bytes alone
 * would not do, because files of one camera begin alike.
 */
function imageKey(job: Job): number {
  const image = job.kind === 'generate' ? (job.images[0] ?? new Uint8Array()) : job.image
  let hash = 0x811c9dc5 ^ image.length
  const step = Math.max(1, image.length / SAMPLES)
  for (let at = 0; at < image.length; at += step) hash = Math.imul(hash ^ (image[Math.floor(at)] ?? 0), 0x01000193)
  return hash
}
