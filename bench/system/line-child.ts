/** A child process that answers a line of JSON with a line of JSON: how the bench talks to its peers. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

type Child = ChildProcessByStdio<Writable, Readable, null>

export class LineChild {
  readonly pid: number
  readonly #child: Child
  readonly #lines: AsyncIterator<string>

  /** Starts it; what it writes to stderr goes to ours. */
  constructor(
    private readonly command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.#child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.on('error', () => {})
    // `next` notices by the end of its output that the child has ended
    this.#child.stdin.on('error', () => {})
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    this.pid = this.#child.pid ?? 0
  }

  /**
   * Reads the next line of the child.
   * @throws Error: it has ended
   */
  async next(): Promise<unknown> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`${this.command} ended (${this.#child.signalCode ?? this.#child.exitCode ?? 'no start'})`)
    return JSON.parse(value)
  }

  /** Writes a line; `next` reads the answer. */
  say(line: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(line)}\n`)
  }

  /** Closes the child's input, at which it ends; kills it if it has not ended after 5 s. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.pid === 0) return
    const exit = once(this.#child, 'exit')
    this.#child.stdin.end()
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 5000)
    await exit
    clearTimeout(killer)
  }
}
