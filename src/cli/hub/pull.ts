/** `models pull`: fetches a model folder from the hub in the layout that the engine loads. */
import { mkdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Precision } from '../../vlm/folder/graph-names.js'
import { CliError, EXIT } from '../command.js'
import { isSame, sizeOf } from './checksum.js'
import { type DownloadOptions, download } from './download.js'
import { type HubSource, openFiles, readRepository } from './hub.js'
import { formatBytes, type Output, showProgress } from './progress.js'
import { type HubFile, selectFiles } from './select.js'

export interface PullRequest {
  source: HubSource
  precision: Precision
  /** The folder to fill. */
  out: string
}

/** How often and how long a download is tried; tests use smaller values. */
export interface Patience extends Pick<DownloadOptions, 'tries' | 'backoffMs' | 'stallMs'> {
  /** Milliseconds for one reply of the hub about the repository. */
  replyMs: number
}

export const PATIENCE: Patience = { tries: 5, backoffMs: 1000, stallMs: 60_000, replyMs: 60_000 }

/**
 * Fetches the files that are missing or wrong; the others stay. A file gets its name once it is complete and checked.
 * @throws CliError failed, usage, notFound, notAllowed
 */
export async function pull(
  { source, precision, out }: PullRequest,
  output: Output,
  patience: Patience = PATIENCE,
): Promise<{ commit: string; fetched: string[]; kept: string[] }> {
  const { commit, entries } = await readRepository(source, patience.replyMs).catch(error => {
    throw unreachable(error, source)
  })
  const files = selectFiles(source.id, entries, precision)
  await refuseForeignFolder(out, files)
  const missing: HubFile[] = []
  const kept: HubFile[] = []
  for (const file of files) ((await isSame(join(out, file.path), file)) ? kept : missing).push(file)
  await mkdir(out, { recursive: true })
  await requireSpace(out, missing)
  output.write(`${source.id} at ${commit.slice(0, 12)} -> ${out}\n`)
  for (const file of kept) showProgress(output, file.path, file.size).end('already there')
  const openAt = openFiles(source, commit)
  for (const file of missing) {
    const progress = showProgress(output, file.path, file.size)
    await download(file, join(out, file.path), { ...patience, openAt, onProgress: progress.at, onRetry: progress.note })
    progress.end('fetched')
  }
  return { commit, fetched: missing.map(file => file.path), kept: kept.map(file => file.path) }
}

/** Refuses a folder of ours with another model in it: its cropvlm.json lists the sha256 of the files that are there. */
async function refuseForeignFolder(out: string, files: readonly HubFile[]): Promise<void> {
  const ours = (await sizeOf(join(out, 'cropvlm.json'))) > 0
  if (ours && !files.some(file => file.path === 'cropvlm.json'))
    throw new CliError(EXIT.usage, `${out} holds another model (it has a cropvlm.json); choose a different --out.`)
}

async function requireSpace(out: string, missing: readonly HubFile[]): Promise<void> {
  const needed = missing.reduce((sum, file) => sum + file.size, 0)
  const { bavail, bsize } = await statfs(out)
  if (bavail * bsize < needed)
    throw new CliError(
      EXIT.failed,
      `${out} needs ${formatBytes(needed)}, but its disk has ${formatBytes(bavail * bsize)} left.`,
    )
}

function unreachable(error: unknown, { endpoint }: HubSource): unknown {
  if (error instanceof CliError) return error
  const { message, cause } = error as Error
  const reason = cause instanceof Error ? `${message}: ${cause.message}` : message
  return new CliError(
    EXIT.failed,
    `${endpoint} could not be asked (${reason}). HF_ENDPOINT names another hub or mirror.`,
    error,
  )
}
