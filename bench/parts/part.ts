/** What each part needs, gathered and run. */
import { join } from 'node:path'
import type { OurEngine } from '../engines/ours.js'
import { startEngines } from '../engines/start.js'
import { fullModel, type ModelFolders, miniModel, pages } from '../models.js'
import type { Options, Part } from '../options.js'
import { jpegFile, pictureFile } from '../picture.js'
import type { Results } from '../results.js'
import { ROOT } from '../root.js'
import { GpuMemory } from '../system/gpu-memory.js'
import { agreement } from './agreement.js'
import { decoderRuns } from './decoder-runs.js'
import { latency } from './latency.js'
import { load } from './load.js'
import { processes } from './processes.js'
import { proxy } from './proxy.js'
import { secondQuestion } from './second.js'
import { textPages } from './text.js'

type Say = (line: string) => void
type Found = Partial<Results>

const PHOTO = [1600, 1200] as const
/** About a page of the bundled models' kind. */
const PAGE = [640, 640] as const
const LOAD_PICTURES = 24
/** The bundled cropper's own longest edge. */
const MINI_EDGE = 96

export async function measurePart(part: Part, options: Options, say: Say): Promise<Found> {
  switch (part) {
    case 'latency':
      return latencyPart(options, say)
    case 'second': {
      const { ours } = await fullModel(options)
      const { rounds, device } = options
      const plan = { folder: ours, precision: options.ours, device, rounds, picture: photos(options), log: say }
      return { second_question: await secondQuestion(plan) }
    }
    case 'agreement': {
      const precisions = ['fp32', options.ours] as const
      const { ours } = await miniModel(options, precisions)
      const { cache, device } = options
      const about = { folder: ours, pages: await pages(options), cache, device }
      return { agreement: await agreement({ ...about, reference: 'fp32', precision: options.ours }) }
    }
    case 'load': {
      const { loadSets: sets, loadRates: rates, loadSeconds: seconds, device } = options
      const numbers = Array.from({ length: LOAD_PICTURES }, (_, i) => i)
      const pictures = await Promise.all(numbers.map(i => pictureFile(join(options.cache, 'pictures'), i, ...PAGE)))
      return { load: await load({ sets, rates, seconds, pictures, device, log: say }) }
    }
    case 'text':
      return { text: await textPages({ images: options.textImages, pages: options.textPages, log: say }) }
    case 'proxy': {
      const picture = await jpegFile(join(options.cache, 'pictures'), join(ROOT, 'docs/example.png'))
      return { proxy: await proxy({ picture, log: say }) }
    }
    case 'processes': {
      const { ours } = await fullModel(options)
      const pictures = await Promise.all(Array.from({ length: LOAD_PICTURES }, (_, i) => photos(options)(2000 + i)))
      const { ours: precision, device } = options
      return { processes: await processes({ folder: ours, precision, device, pictures, log: say }) }
    }
  }
}

async function latencyPart(options: Options, say: Say): Promise<Found> {
  const found = { rows: [], skipped: [], versions: {} } as Pick<Results, 'rows' | 'skipped' | 'versions'>
  let runs: Results['decoder_runs'] = null
  const gpu = options.device === 'cuda' ? new GpuMemory() : null
  await gpu?.start()
  try {
    for (const name of options.models) {
      const model: ModelFolders = name === 'full' ? await fullModel(options) : await miniModel(options)
      const rounds = name === 'full' ? options.rounds : [[MINI_EDGE, options.miniRounds] as const]
      say(`starting the engines of ${model.name}`)
      const started = await startEngines(model, options, options.precisions)
      const { device, ours } = options
      const plan = { model: model.name, device, rounds, ours, picture: photos(options), gpu, log: say }
      const rows = await latency(started, plan, async () => {
        const own = started.engines.filter((engine): engine is OurEngine => engine.name === 'cropvlm')
        // the full model's, where both are measured: random digits are the hardest case
        runs ??= await decoderRuns(own)
      })
      found.rows.push(...rows)
      found.skipped.push(...started.skipped)
      for (const { name: engine, version } of started.engines)
        if (engine !== 'cropvlm') found.versions[engine] = version
    }
    return { ...found, decoder_runs: runs }
  } finally {
    gpu?.stop()
  }
}

function photos({ cache }: Options): (number: number) => Promise<string> {
  return number => pictureFile(join(cache, 'pictures'), number, ...PHOTO)
}
