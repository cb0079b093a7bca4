/** Runs one of this folder's programs, which call a client of Python. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ROOT } from '../../support/deploy-files.js'
import { PYTHON_CLIENTS } from '../../support/servers.js'

const HERE = join(ROOT, 'test/integration/clients')

export interface Server {
  base_url: string
  api_key: string
  /** Called once the first words of a stream are read. */
  seen: string
}

export interface Asked {
  servers: Server[]
  model: string
  /** A data URL. */
  image: string
  question: string
  cases: string[]
}

/**
 * @returns what the client made of the replies: by case, a value for each server
 * @throws Error with what it printed, where it failed
 */
export async function runClient(program: string, asked: Asked): Promise<Record<string, unknown[]>> {
  const child = spawn(PYTHON_CLIENTS.command, [join(HERE, program)], { env: { ...process.env, ...PYTHON_CLIENTS.env } })
  child.stdin.end(JSON.stringify(asked))
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  const [code, printed, log] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${log}`)
  return JSON.parse(printed)
}
