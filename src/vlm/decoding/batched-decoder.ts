/**
 * Several decode loops that share the decoder's runs. Each asks for the logits behind its next tokens as if it were
 * alone; a run is made once all loops that go on have asked, with one token of each. A run of many rows costs little
 * more than one of a single row: the weights are read once.
 */
export class Lockstep {
  private readonly asked = new Map<number, Asked>()
  private readonly active: Set<number>
  private isRunning = false

  /** @param step Feeds one token to each row and gives the logits behind each; null where a row has none. */
  constructor(
    private readonly rows: number,
    private readonly step: (tokens: readonly (number | null)[]) => Promise<Float32Array[]>,
  ) {
    this.active = new Set(Array.from({ length: rows }, (_, row) => row))
  }

  /** The logits behind each of `tokens`, fed behind all that the row was fed before. */
  async feed(row: number, tokens: readonly number[]): Promise<Float32Array[]> {
    return await new Promise((resolve, reject) => {
      this.asked.set(row, { left: [...tokens], logits: [], resolve, reject })
      void this.run()
    })
  }

  /** The row's loop is over, however it ended. */
  leave(row: number): void {
    this.active.delete(row)
    void this.run()
  }

  private async run(): Promise<void> {
    while (!this.isRunning && this.asked.size > 0 && this.asked.size === this.active.size) {
      this.isRunning = true
      try {
        const tokens = Array.from({ length: this.rows }, (_, row) => this.asked.get(row)?.left.shift() ?? null)
        const logits = await this.step(tokens)
        for (const [row, asked] of this.asked) asked.logits.push(logits[row] as Float32Array)
      } catch (error) {
        for (const asked of this.asked.values()) asked.reject(error)
        this.asked.clear()
      }
      this.isRunning = false
      for (const [row, asked] of this.asked) {
        if (asked.left.length > 0) continue
        this.asked.delete(row)
        asked.resolve(asked.logits)
      }
    }
  }
}

interface Asked {
  /** Tokens not fed yet. */
  left: number[]
  /** Behind those that were. */
  logits: Float32Array[]
  resolve(logits: Float32Array[]): void
  reject(error: unknown): void
}
