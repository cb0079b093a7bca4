/** Writes a line of the engine process's log: JSON on stdout, which the parent process passes to its own logger. */
export function childLog(
  level: 'debug' | 'info' | 'warn' | 'error',
  fields: Record<string, unknown>,
  message: string,
): void {
  process.stdout.write(`${JSON.stringify({ level, ...fields, msg: message })}\n`)
}
