/** The environment of a service that a command starts: what is set, and what a file adds to it. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { collectFile } from './collect.js'
import { CliError, EXIT } from './command.js'
import type { World } from './spec.js'

/**
 * Option of every command that may start a service. Node 20 takes an option of this name for its own wherever it stands: it
 * reads the file by the same rules before this program starts, and says itself where there is none.
 */
export const ENV_FILE_OPTION = {
  value: 'FILE',
  meaning: 'Variables of a service that is started here, beside those that are set. Default: .env, if there is one.',
} as const

/** Of the file: thousands of variables. */
const MAX_BYTES = 1024 * 1024

/**
 * The variables that are set, and those of the file for which none is set. A variable that is set but blank is set: it
 * stays blank.
 * @throws CliError notFound, usage: the file cannot be read
 */
export async function environment({ env, envFile, cwd }: World): Promise<Record<string, string | undefined>> {
  if (envFile === null) return { ...env }
  const text = await textOf(resolve(cwd, envFile ?? '.env'), envFile).catch((error: NodeJS.ErrnoException) => {
    if (error instanceof CliError) throw error
    // a folder of that name is Python's
    if (envFile === undefined && (error.code === 'ENOENT' || error.code === 'EISDIR')) return ''
    if (error.code === 'ENOENT') throw new CliError(EXIT.notFound, `--env-file names ${envFile}, which does not exist.`)
    throw new CliError(
      EXIT.usage,
      `${envFile ?? '.env'} cannot be read (${error.code}); make it a readable file, or name another with --env-file.`,
    )
  })
  return { ...parseEnv(text), ...env }
}

/** A pipe is read where it was named: `--env-file <(sops -d secrets.env)`. */
async function textOf(path: string, envFile: string | undefined): Promise<string> {
  const found = await stat(path)
  if (envFile === undefined && !found.isFile() && !found.isDirectory())
    throw new CliError(
      EXIT.usage,
      '.env is a pipe or a device, and no file; remove it, or name a file with --env-file.',
    )
  return (await collectFile(path, envFile ?? '.env', MAX_BYTES)).toString()
}
