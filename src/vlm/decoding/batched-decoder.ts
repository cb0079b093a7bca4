/**
 * Lets several decode loops share the decoder's runs. Each loop asks for the logits after its next tokens as if it were
 * alone. A run is made once every active loop has asked, and feeds one token of each. A run of several rows costs
 * little more than a run of one, because the weights are read from memory once for all of them.
 *
 * There is one loop for each row of the batch. It is active until it calls `leave`.
 */
export class BatchedDecoder {
  /** What the loops wait for, by row. */
  private readonly pending = new Map<number, Pending>()
  private readonly active: Set<number>
  private isRunning = false

  /**
   * @param step Makes one run: feeds one token to each row, null to a row that has none, and returns the logits,
   * `[vocabulary]`, after each row's token.
   */
  constructor(
    private readonly rows: number,
    private readonly step: (tokens: readonly (number | null)[]) => Promise<Float32Array[]>,
  ) {
    this.active = new Set(Array.from({ length: rows }, (_, row) => row))
  }

  /** Appends tokens to a row. Returns the logits after each of them. Rejects with the error of a run that fails. */
  async feed(row: number, tokens: readonly number[]): Promise<Float32Array[]> {
    return await new Promise((resolve, reject) => {
      this.pending.set(row, { left: [...tokens], logits: [], resolve, reject })
      void this.run()
    })
  }

  /** The row's loop has ended: the other loops no longer wait for it. */
  leave(row: number): void {
    this.active.delete(row)
    void this.run()
  }

  /** Makes runs for as long as every active loop waits for one. */
  private async run(): Promise<void> {
    while (!this.isRunning && this.pending.size > 0 && this.pending.size === this.active.size) {
      this.isRunning = true
      try {
        const tokens = Array.from({ length: this.rows }, (_, row) => this.pending.get(row)?.left.shift() ?? null)
        const logits = await this.step(tokens)
        for (const [row, { logits: own }] of this.pending) own.push(logits[row] as Float32Array)
      } catch (error) {
        for (const { reject } of this.pending.values()) reject(error)
        this.pending.clear()
      }
      this.isRunning = false
      for (const [row, { left, logits, resolve }] of this.pending) {
        if (left.length > 0) continue
        this.pending.delete(row)
        resolve(logits)
      }
    }
  }
}

/** A loop's request for logits. */
interface Pending {
  /** Tokens that have not been fed yet. */
  left: number[]
  /** The logits after each token that has been fed. */
  logits: Float32Array[]
  resolve(logits: Float32Array[]): void
  reject(error: unknown): void
}
