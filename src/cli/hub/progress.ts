/** Progress of a download on stderr: on a terminal one line that is rewritten, elsewhere one line for every tenth. */

export interface Progress {
  /** Bytes of the current file that are on disk. */
  at(bytes: number): void
  note(line: string): void
  /** The file is done. */
  end(how: 'fetched' | 'already there'): void
}

export interface Output {
  write(text: string): unknown
  isTTY?: boolean
}

export function showProgress(output: Output, path: string, size: number): Progress {
  let tenth = 0
  let bytes = 0
  const line = (text: string) => output.write(output.isTTY ? `\r\x1b[K${text}\n` : `${text}\n`)
  return {
    at(now) {
      bytes = now
      const reached = Math.floor((10 * bytes) / Math.max(size, 1))
      if (output.isTTY) output.write(`\r\x1b[K${path}  ${formatBytes(bytes)} of ${formatBytes(size)}`)
      else if (reached > tenth && reached < 10) line(`${path}  ${reached * 10} % of ${formatBytes(size)}`)
      tenth = reached
    },
    note: line,
    end: how => line(`${path}  ${formatBytes(size)}  ${how}`),
  }
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB']
  return `${value.toFixed(1)} ${unit}`
}
