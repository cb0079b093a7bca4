/** What the proxy adds to a request, beside nginx and a bare proxy in Node: without an image, with one, and to streams. */
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Asked, Burst, Job, Streamed } from '../proxy/client.js'
import { nginxVersion, startNginx } from '../proxy/nginx.js'
import type { ImageRow, ProxyResults, StreamRow, Way, WayRow } from '../proxy/results.js'
import { summariseImages, summariseStreams, summariseWays, type WayRounds } from '../proxy/summary.js'
import { BUNDLED_MODELS, startBenchService } from '../service.js'
import { LineChild } from '../system/line-child.js'
import { cpuSeconds, memoryShares, processTree } from '../system/proc.js'

export interface ProxyPlan {
  /** A JPEG file that the bundled cropper finds a box in. */
  picture: string
  log(line: string): void
}

const ROUNDS = 5
/** Of each way in a round. */
const REQUESTS = 400
const CALLERS = 16
const BURST_SECONDS = 1.2
const IMAGES = 30
const STREAM_ROUNDS = 2
const STREAMS = 200
const EVENTS = 80
const GAP_MS = 50

const PATH = '/v1/chat/completions'

interface Ways {
  urls: ReadonlyMap<Way, string>
  client: LineChild
  /** Processes of each proxy; of the service the HTTP process. */
  pids: ReadonlyMap<Way, number[]>
}

export async function proxy({ picture, log }: ProxyPlan): Promise<ProxyResults> {
  const version = nginxVersion()
  if (version === null) log('proxy: nginx is not installed (Debian: apt-get install nginx-light); left out')
  const load_before = Math.round((loadavg()[0] ?? 0) * 10) / 10
  return await withWays(version !== null, async ways => {
    const measured = await withoutImage(ways, log)
    const image = await withImage(ways, picture)
    log(`proxy: ${image.images} images, ${image.zoomed} zoomed`)
    const streams = await streaming(ways, log)
    return {
      nginx: version,
      rounds: ROUNDS,
      requests: REQUESTS,
      callers: CALLERS,
      load_before,
      ways: measured,
      image,
      streams,
    }
  })
}

async function withoutImage({ urls, client, pids }: Ways, log: ProxyPlan['log']): Promise<WayRow[]> {
  const turns = (count: number) => say<Asked[][]>(client, { kind: 'turns', urls: [...urls.values()], count, seed: 0 })
  const burst = (url: string, seconds: number) => say<Burst>(client, { kind: 'burst', url, callers: CALLERS, seconds })
  // the code of each process is compiled by being used
  await turns(REQUESTS)
  for (const url of urls.values()) await burst(url, BURST_SECONDS)
  const rounds = [...urls.keys()].map(way => ({
    way,
    times: [] as number[][],
    rates: [] as number[],
    cpu: [] as number[],
  }))
  for (let round = 1; round <= ROUNDS; round++) {
    const asked = await turns(REQUESTS)
    for (const [i, { way, times, rates, cpu }] of rounds.entries()) {
      times.push((asked[i] ?? []).map(({ ms }) => ms))
      const before = cpuSeconds(pids.get(way) ?? [])
      const { requests, ms } = await burst(urls.get(way) ?? '', BURST_SECONDS)
      const after = cpuSeconds(pids.get(way) ?? [])
      rates.push((requests * 1000) / ms)
      if (pids.has(way) && before !== null && after !== null) cpu.push(((after - before) * 1e6) / requests)
    }
    log(`proxy: round ${round} of ${ROUNDS}`)
  }
  return summariseWays(rounds satisfies WayRounds[])
}

async function withImage({ urls, client }: Ways, picture: string): Promise<ImageRow> {
  const [direct = '', nginx, ours = ''] = (['direct', 'nginx', 'cropvlm'] as const).map(way => urls.get(way))
  const turns = async (count: number, seed: number) => {
    const asked = await say<Asked[][]>(client, {
      kind: 'turns',
      urls: [direct, ours, ours, ...(nginx === undefined ? [] : [nginx])],
      count,
      picture,
      seed,
    })
    const [to = [], first = [], again = [], by = null] = asked
    return { direct: to, first, again, nginx: by }
  }
  await turns(5, 1)
  return summariseImages(await turns(IMAGES, 2))
}

async function streaming({ urls, client, pids }: Ways, log: ProxyPlan['log']): Promise<StreamRow[]> {
  const ways = [...urls].filter(([way]) => way !== 'node')
  const rounds = ways.map(([way, url]) => ({ way, url, found: [] as Streamed[], rss: NO_RSS }))
  const resident = (way: Way) => (way === 'cropvlm' ? rssMb(pids.get(way)?.[0] ?? 0) : null)
  for (let round = 1; round <= STREAM_ROUNDS; round++)
    for (const each of rounds) {
      client.say({
        kind: 'streams',
        url: `${each.url}?events=${EVENTS}&gap=${GAP_MS}`,
        clients: STREAMS,
      } satisfies Job)
      await client.next()
      const rss_begin_mb = resident(each.way)
      each.found.push((await client.next()) as Streamed)
      each.rss = { rss_begin_mb, rss_end_mb: resident(each.way) }
      log(`proxy: ${STREAMS} streams, ${each.way}, round ${round} of ${STREAM_ROUNDS}`)
    }
  return rounds.map(({ way, found, rss }) => summariseStreams(way, found, EVENTS, rss))
}

function rssMb(pid: number): number | null {
  const shares = memoryShares(pid)
  return shares && Math.round(shares.rss_mb)
}

const NO_RSS: Pick<StreamRow, 'rss_begin_mb' | 'rss_end_mb'> = { rss_begin_mb: null, rss_end_mb: null }

async function withWays<T>(hasNginx: boolean, use: (ways: Ways) => Promise<T>): Promise<T> {
  const closing: (() => Promise<void>)[] = []
  try {
    const start = (file: string, ...args: string[]) => {
      const child = new LineChild(process.execPath, [program(file), ...args])
      closing.push(() => child.close())
      return child
    }
    const upstream = await address(start('upstream'))
    const bare = start('node-proxy', upstream)
    const node = await address(bare)
    const nginx = hasNginx ? await startNginx(new URL(upstream).host) : null
    if (nginx) closing.push(() => nginx.close())
    const service = await startBenchService({
      CROPPER_MODEL: BUNDLED_MODELS.CROPPER_MODEL,
      TARGET_BASE_URL: `${upstream}/v1`,
      TARGET_MODEL: 'bench',
    })
    closing.push(() => service.stop())
    const urls = new Map<Way, string>([
      ['direct', upstream + PATH],
      ...(nginx ? [['nginx', nginx.url + PATH] as const] : []),
      ['node', node + PATH],
      ['cropvlm', service.url + PATH],
    ])
    const pids = new Map<Way, number[]>([
      ...(nginx ? [['nginx', processTree(nginx.pid)] as const] : []),
      ['node', [bare.pid]],
      ['cropvlm', [service.pid]],
    ])
    return await use({ urls, client: start('client'), pids })
  } finally {
    // the callers before what they call
    for (const close of closing.reverse()) await close()
  }
}

async function address(child: LineChild): Promise<string> {
  const { port } = (await child.next()) as { port: number }
  return `http://127.0.0.1:${port}`
}

async function say<T>(client: LineChild, job: Job): Promise<T> {
  client.say(job)
  return (await client.next()) as T
}

function program(name: string): string {
  return fileURLToPath(new URL(`../proxy/${name}.js`, import.meta.url))
}
