/** The engine process's log: JSON lines on stdout, which the parent hands to its own logger. */
export function childLog(
  level: 'debug' | 'info' | 'warn' | 'error',
  fields: Record<string, unknown>,
  message: string,
): void {
  process.stdout.write(`${JSON.stringify({ level, ...fields, msg: message })}\n`)
}
