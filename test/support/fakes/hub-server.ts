/** A small Hugging Face hub on loopback, with a CDN of its own port behind it, and the faults that real ones have. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const COMMIT = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00'

export interface Repository {
  /** Small files, kept in git. */
  git: Record<string, Buffer>
  /** Large files, served by the CDN. */
  lfs: Record<string, Buffer>
  /** What every request for a file gets instead. */
  refuse?: number
}

export interface Faults {
  /** Bytes of a CDN file after which the connection is cut, once for each number. */
  breakAt: Map<string, number[]>
  /** CDN files served with a flipped byte, this many times. */
  damage: Map<string, number>
  /** CDN files that send a few bytes and then nothing, this many times. */
  stall: Map<string, number>
  /** Statuses the CDN answers before it works. */
  statuses: number[]
}

export interface Seen {
  method: string
  url: string
  range: string | null
  authorization: string | null
}

export interface HubServer {
  url: string
  faults: Faults
  hub: Seen[]
  cdn: Seen[]
  close(): Promise<void>
}

export async function startHub(repositories: Record<string, Repository>): Promise<HubServer> {
  const faults: Faults = { breakAt: new Map(), damage: new Map(), stall: new Map(), statuses: [] }
  const [hub, cdn]: [Seen[], Seen[]] = [[], []]
  const cdnServer = createServer((request, response) => serveCdn(record(cdn, request), response, repositories, faults))
  const cdnUrl = await listen(cdnServer)
  const hubServer = createServer((request, response) => {
    const seen = record(hub, request)
    const name = Object.keys(repositories).find(id => new RegExp(`^(/api/models)?/${id}/`).test(seen.url))
    const repository = name === undefined ? undefined : repositories[name]
    if (name === undefined || !repository) return json(response, 404, { error: 'Repository not found' })
    const path = decodeURIComponent(seen.url.replace(/\?.*/, '').slice(seen.url.indexOf(name) + name.length))
    if (path.startsWith('/revision/')) return serveRevision(path, name, response)
    if (path.startsWith(`/tree/${COMMIT}`))
      return serveTree(repository, `http://${request.headers.host}${seen.url}`, response)
    if (path.startsWith(`/resolve/${COMMIT}/`)) return serveFile(repository, name, path, seen, response, cdnUrl)
    return json(response, 404, { error: 'Not found' })
  })
  const url = await listen(hubServer)
  const close = async () => {
    for (const server of [hubServer, cdnServer]) {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    }
  }
  return { url, faults, hub, cdn, close }
}

function serveRevision(path: string, id: string, response: ServerResponse): unknown {
  if (!['/revision/main', '/revision/v1', `/revision/${COMMIT}`].includes(path))
    return json(response, 404, { error: `Invalid rev id: ${path.slice('/revision/'.length)}` })
  return json(response, 200, {
    _id: '1',
    id,
    sha: COMMIT,
    private: false,
    gated: false,
    lastModified: '2026-01-01T00:00:00.000Z',
  })
}

/** Four entries a page, as the real hub pages long lists. */
function serveTree(repository: Repository, url: string, response: ServerResponse): unknown {
  const git = Object.entries(repository.git).map(([path, content]) => ({
    type: 'file',
    path,
    size: content.length,
    oid: gitId(content),
  }))
  const lfs = Object.entries(repository.lfs).map(([path, content]) => ({
    type: 'file',
    path,
    size: content.length,
    oid: gitId(Buffer.from(`pointer of ${path}`)),
    lfs: { oid: createHash('sha256').update(content).digest('hex'), size: content.length, pointerSize: 134 },
  }))
  const all = [{ type: 'directory', path: 'onnx', size: 0, oid: gitId(Buffer.from('tree')) }, ...git, ...lfs]
  const page = Number(new URL(url).searchParams.get('cursor') ?? 0)
  const next = new URL(url)
  next.searchParams.set('cursor', String(page + 4))
  if (page + 4 < all.length) response.setHeader('link', `<${next}>; rel="next"`)
  return json(response, 200, all.slice(page, page + 4))
}

function serveFile(
  repository: Repository,
  id: string,
  path: string,
  seen: Seen,
  response: ServerResponse,
  cdnUrl: string,
): unknown {
  const name = path.slice(`/resolve/${COMMIT}/`.length)
  if (repository.refuse !== undefined)
    return json(response, repository.refuse, { error: `Access to model ${id} is restricted.` })
  const content = repository.git[name]
  if (content) return sendRange(content, seen.range, response)
  return response.writeHead(302, { location: `${cdnUrl}/${id}/${name}` }).end()
}

function serveCdn(
  seen: Seen,
  response: ServerResponse,
  repositories: Record<string, Repository>,
  faults: Faults,
): unknown {
  const status = seen.range === 'bytes=0-0' ? undefined : faults.statuses.shift()
  if (status !== undefined) return response.writeHead(status).end('not now')
  for (const [id, { lfs }] of Object.entries(repositories)) {
    const name = seen.url.slice(id.length + 2)
    const content = lfs[name]
    if (!seen.url.startsWith(`/${id}/`) || !content) continue
    if (seen.range === 'bytes=0-0') return sendRange(content, seen.range, response)
    if (takeOne(faults.damage, name)) return sendRange(flip(content), seen.range, response)
    const cut = faults.breakAt.get(name)?.shift()
    if (cut !== undefined) return sendRange(content, seen.range, response, { cut, after: () => response.destroy() })
    if (takeOne(faults.stall, name)) return sendRange(content, seen.range, response, { cut: 10, after: () => {} })
    return sendRange(content, seen.range, response)
  }
  return json(response, 404, { error: 'no such object' })
}

/** `cut` counts from the start of the file, not of the range. */
function sendRange(
  content: Buffer,
  range: string | null,
  response: ServerResponse,
  fault?: { cut: number; after(): void },
): unknown {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
  const start = Number(from ?? 0)
  const end = Math.min(to === undefined ? content.length : Number(to) + 1, content.length)
  response.writeHead(from === undefined ? 200 : 206, {
    etag: `"${gitId(content)}"`,
    'content-length': end - start,
    ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${content.length}` }),
  })
  if (!fault) return response.end(content.subarray(start, end))
  return response.write(content.subarray(start, Math.max(start, fault.cut)), () => setTimeout(fault.after, 20))
}

function takeOne(counts: Map<string, number>, name: string): boolean {
  const left = counts.get(name) ?? 0
  counts.set(name, left - 1)
  return left > 0
}

function flip(content: Buffer): Buffer {
  const copy = Buffer.from(content)
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1
  return copy
}

function gitId(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
}

function json(response: ServerResponse, status: number, body: unknown): unknown {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function record(log: Seen[], request: IncomingMessage): Seen {
  const { method = '', url = '', headers } = request
  const seen = { method, url, range: headers.range ?? null, authorization: headers.authorization ?? null }
  log.push(seen)
  return seen
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
