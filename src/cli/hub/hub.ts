/** Reads a hub through its own client library: the files of a repository, and their bytes. */
import { downloadFile, HubApiError, type ListFileEntry, listFiles, modelInfo } from '@huggingface/hub'
import { CliError, EXIT } from '../command.js'
import { boundedFetch } from './bounded-fetch.js'
import type { OpenAt } from './download.js'

/** Where a model comes from. */
export interface HubSource {
  /** `owner/name`. */
  id: string
  /** Branch, tag or commit. */
  revision: string
  /** `https://huggingface.co` or a mirror, without a trailing slash. */
  endpoint: string
  token: string | null
}

/** Files of a repository; a model has dozens. */
const MAX_FILES = 10_000
/** The hub lists a thousand files in a reply, in about 300 kB. */
const LISTING = { maxBytes: 16 * 1024 * 1024, maxRequests: 1000 }

/**
 * The commit that a revision names, and the files of that commit. Files are then fetched at the commit, so that a push
 * in between does not mix two versions.
 * @param timeoutMs For one reply.
 * @throws CliError failed, notFound, notAllowed
 */
export async function readRepository(
  source: HubSource,
  timeoutMs: number,
): Promise<{ commit: string; entries: ListFileEntry[] }> {
  const hub = { ...access(source), fetch: boundedFetch({ ...LISTING, timeoutMs }) }
  try {
    const { sha } = await modelInfo({
      ...hub,
      name: source.id,
      revision: source.revision,
      additionalFields: ['sha'],
    })
    if (!/^[0-9a-f]{40}$/.test(sha ?? ''))
      throw new CliError(EXIT.failed, `${source.endpoint} gave no commit for ${source.id}; is it a Hugging Face hub?`)
    const entries: ListFileEntry[] = []
    for await (const entry of listFiles({ ...hub, repo: source.id, revision: sha, recursive: true })) {
      if (!isEntry(entry))
        throw new CliError(
          EXIT.failed,
          `${source.endpoint} lists a file of ${source.id} with a path, a size or a checksum that no file has; use another hub or mirror (HF_ENDPOINT).`,
        )
      entries.push(entry)
      if (entries.length > MAX_FILES)
        throw new CliError(
          EXIT.failed,
          `${source.id} has more than ${MAX_FILES} files, which no model has; check its name.`,
        )
    }
    return { commit: sha, entries }
  } catch (error) {
    throw explain(error, source)
  }
}

/** Whether what a hub lists can be a file, or a folder: nothing of it has been checked yet. */
function isEntry(entry: Partial<ListFileEntry> | null): boolean {
  const { type, path, size, oid, lfs } = Object(entry) as Record<string, unknown>
  if (typeof type !== 'string' || typeof path !== 'string') return false
  if (type !== 'file') return true
  // one without a checksum is told by itself, should it be needed
  if (lfs === undefined) return isSize(size) && (oid === undefined || isHex(oid, 'sha1'))
  const { oid: sha256, size: whole } = Object(lfs) as Record<string, unknown>
  return isSize(whole) && isHex(sha256, 'sha256')
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isHex(value: unknown, kind: 'sha1' | 'sha256'): boolean {
  return typeof value === 'string' && (kind === 'sha1' ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(value)
}

/** Opens files of one commit at any offset. */
export function openFiles(source: HubSource, commit: string): OpenAt {
  return async ({ path, size }, start, signal) => {
    let refusal: unknown = null
    // The client reports a failed response of a stream without its status, so the status is looked at here.
    const watched: typeof fetch = async (input, init) => {
      const response = await fetch(input, { ...init, signal })
      const from = /^bytes=(\d+)-/.exec(new Headers(init?.headers).get('range') ?? '')?.[1]
      if (response.ok && from !== undefined && from !== '0' && response.status !== 206)
        refusal = new Error('the server ignores Range and would start over')
      if (!response.ok) refusal = new HubApiError(response.url, response.status, undefined, `HTTP ${response.status}`)
      if (refusal !== null) {
        await response.body?.cancel()
        throw refusal
      }
      return response
    }
    try {
      // Over plain HTTP, because a broken-off Xet transfer cannot be continued from a byte offset.
      const blob = await downloadFile({
        ...access(source),
        repo: source.id,
        path,
        revision: commit,
        xet: false,
        fetch: watched,
      })
      if (!blob) throw new CliError(EXIT.notFound, `${source.id} lists ${path}, but the hub has no such file.`)
      if (blob.size !== size)
        throw new CliError(EXIT.failed, `${path}: the hub lists ${size} bytes, but serves ${blob.size}.`)
      const stream = blob.slice(start).stream()
      return rethrowing(stream, cause => explain(refusal ?? cause, source))
    } catch (error) {
      throw explain(refusal ?? error, source)
    }
  }
}

async function* rethrowing(stream: AsyncIterable<Uint8Array>, explained: (cause: unknown) => unknown) {
  try {
    yield* stream
  } catch (error) {
    throw explained(error)
  }
}

function access({ endpoint, token }: HubSource): { hubUrl: string; accessToken?: string } {
  return token === null ? { hubUrl: endpoint } : { hubUrl: endpoint, accessToken: token }
}

/** A CliError that names the remedy. An error that may not occur again at another try is returned as it is. */
function explain(error: unknown, { id, revision, endpoint, token }: HubSource): unknown {
  if (!(error instanceof HubApiError)) return error
  // the CDN to which the hub redirects refuses a link that has expired; the next try gets a new link
  if (new URL(error.url).origin !== new URL(endpoint).origin) return error
  const { statusCode } = error
  const page = `${endpoint}/${id}`
  if (statusCode === 401 || statusCode === 403) {
    const remedy =
      token === null
        ? `Accept its terms on ${page} if it is gated, and set HF_TOKEN. (The hub says the same of a name that does not exist.)`
        : `Check that the account behind HF_TOKEN has accepted the terms on ${page}, and that the token may read it.`
    return new CliError(EXIT.notAllowed, `The hub refuses ${id} (${statusCode}). ${remedy}`, error)
  }
  if (statusCode === 404)
    return new CliError(
      EXIT.notFound,
      `${endpoint} has no ${id} at revision ${revision} (404). Check the spelling; --revision takes a branch, a tag or a commit.`,
      error,
    )
  return error
}
