/** Runs what the page gives to copy, as a person would: in the folder of the picture. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Reply {
  answer: string
  bbox: number[]
  decision: string
  target: { name: string }
  compare: { answer: string }
}

/** How each language is run; the code is in the file. */
const RUN = {
  curl: (file: string) => ['sh', file],
  Python: (file: string) => ['python3', file],
  JavaScript: (file: string) => [process.execPath, file],
}

/**
 * @param folder with the picture in it
 * @param env further variables
 * @returns the reply of the service, as the code prints it
 */
export async function runSnippet(
  language: keyof typeof RUN,
  code: string,
  folder: string,
  env: Record<string, string> = {},
): Promise<Reply> {
  const file = join(folder, `code-${language}.mjs`)
  writeFileSync(file, code)
  const [command = '', ...args] = RUN[language](file)
  // the service is on this machine, whatever the proxies of its network
  const direct = { NO_PROXY: '*', no_proxy: '*' }
  const { stdout } = await run(command, args, { cwd: folder, env: { ...process.env, ...direct, ...env } })
  return JSON.parse(stdout)
}
