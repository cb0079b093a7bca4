/** Buffers are made in steps of this many bytes, so that pictures of nearly one size share one. */
const STEP = 1024 * 1024

/**
 * Shared memory for pictures, used again: a thread that only reads pictures makes so little garbage of its own that V8 hardly
 * ever looks for what it could let go of there, and every picture that it has seen would stay in memory until then.
 */
export class PixelPool {
  readonly #free: SharedArrayBuffer[] = []

  /** A buffer of at least `bytes` bytes that nobody else has until it is given back. */
  take(bytes: number): SharedArrayBuffer {
    const fits = this.#free.findIndex(({ byteLength }) => byteLength >= bytes)
    const [buffer] = this.#free.splice(Math.max(0, fits), 1)
    // one that is too small makes room for the larger one
    if (buffer && buffer.byteLength >= bytes) return buffer
    return new SharedArrayBuffer(Math.ceil(Math.max(1, bytes) / STEP) * STEP)
  }

  give(buffer: SharedArrayBuffer): void {
    this.#free.push(buffer)
  }
}
