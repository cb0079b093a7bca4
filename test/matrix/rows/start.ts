/** Rows 54 to 57: what a start lacks. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Row } from '../row.js'
import { page } from '../world/pictures/page.js'
import { each, Skipped, type World } from '../world/world.js'
import { type Change, changedFolder, refusesToStart } from './refused.js'

const MINI = { CROPPER_MODEL: 'models/cropvlm-mini' }
const START_MS = 15_000

export const START: readonly Row[] = [
  {
    number: 54,
    fault: 'missing, corrupt, wrong-hash model',
    behaviour: 'never ready; one line says which file, and the process ends with 1',
    run: brokenModel,
  },
  {
    number: 55,
    fault: 'CUDA library missing',
    behaviour: '`EXECUTION_PROVIDER=cuda`: a model does not start, exit code 1; `auto`: the CPU, and why',
    run: noCuda,
  },
  {
    number: 56,
    fault: 'GPU out of memory, illegal access',
    behaviour: '503 `engine_unavailable`, a new engine process, later and later where it dies again',
    run: gpu,
  },
  {
    number: 57,
    fault: 'read-only or full disk',
    behaviour: 'it serves without a cache of graphs, and warns',
    run: badDisk,
  },
]

async function brokenModel(world: World): Promise<string> {
  const graph = 'onnx/vision_encoder_int8.onnx'
  const hub = 'onnx/decoder_model_merged.onnx'
  const removed = (file: string) => (folder: string) => rmSync(join(folder, file))
  const written = (file: string, text: string) => (folder: string) => writeFileSync(join(folder, file), text)
  const cases: Record<string, [change: Change, named: string]> = {
    'no config.json': [removed('config.json'), 'config.json'],
    'no graph': [removed(graph), 'vision_encoder_int8.onnx'],
    'a graph that was cut': [
      folder => writeFileSync(join(folder, graph), readFileSync(join(folder, graph)).subarray(0, 5000)),
      'vision_encoder_int8.onnx',
    ],
    'one bit of a graph': [folder => flipBit(join(folder, graph)), 'vision_encoder_int8.onnx'],
    'a tokenizer that was cut': [written('tokenizer.json', '{"version": "1.0", "mod'), 'tokenizer.json'],
    'a manifest that is a list': [written('cropvlm.json', '[]'), 'cropvlm.json'],
    'noise for a graph, and no hashes': [
      folder => {
        rmSync(join(folder, 'cropvlm.json'))
        writeFileSync(join(folder, hub), Buffer.alloc(4000, 0xa5))
      },
      'decoder_model_merged',
    ],
  }
  const nowhere = join(world.folder(), 'nowhere')
  const missing = await refused(world, nowhere, nowhere)
  const seen = await each(cases, ([change, named]) => refused(world, changedFolder(world, change), named))
  return `no folder: ${missing}; ${seen}`
}

/** @param named What the line that tells has to name. */
async function refused(world: World, folder: string, named: string): Promise<string> {
  const { ms } = await refusesToStart(world, folder, named)
  world.within(START_MS, ms, 'the end')
  return `exit 1 in ${Math.round(ms)} ms, named`
}

function flipBit(file: string): void {
  const bytes = readFileSync(file)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] as number) ^ 1
  writeFileSync(file, bytes)
}

async function noCuda(world: World): Promise<string> {
  if (existsSync('/dev/nvidia0')) throw new Skipped('this machine has a GPU')
  const start = performance.now()
  const service = await world.startDoomed({ ...MINI, EXECUTION_PROVIDER: 'cuda' })
  assert.equal(await service.exit, 1)
  const fatal = String(service.lines.findLast(({ level }) => level === 60)?.msg)
  assert.match(fatal, /CUDA/)
  world.within(START_MS, performance.now() - start, 'the end')
  const auto = await world.start({ ...MINI, EXECUTION_PROVIDER: 'auto' })
  const info = JSON.parse((await auto.get('/info')).text) as { execution_provider: { name: string; reason: string } }
  assert.equal(info.execution_provider.name, 'cpu')
  assert.match(info.execution_provider.reason, /CUDA/)
  const seen = world.answered(await auto.crop(await page()))
  return `cuda: exit 1, "${fatal.slice(0, 90)}"; auto: ${seen} on the CPU, "${info.execution_provider.reason.slice(0, 70)}"`
}

async function gpu(): Promise<string> {
  throw new Skipped('needs an NVIDIA GPU whose memory may be filled')
}

async function badDisk(world: World): Promise<string> {
  const parent = world.folder()
  const file = join(parent, 'file')
  writeFileSync(file, '')
  const places: Record<string, string> = { 'a file in the place of the folder': file }
  const notMounted: string[] = []
  for (const [name, options] of Object.entries({ 'a full disk': 'size=64k', 'a read-only disk': 'ro' })) {
    const disk = mkdtemp(parent, name)
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]).status !== 0) notMounted.push(name)
    else {
      world.teardown(() => spawnSync('umount', [disk]))
      places[name] = disk
    }
  }
  const seen = await each(places, async place => {
    const service = await world.start({ ...MINI, GRAPH_CACHE_DIR: place })
    assert.match(service.log, /GRAPH_CACHE_DIR/, 'the log does not tell')
    return `warns, ${world.answered(await service.crop(await page()))}`
  })
  return notMounted.length === 0 ? seen : `${seen}; only root can mount ${notMounted.join(' and ')}`
}

function mkdtemp(parent: string, name: string): string {
  const folder = join(parent, name.replaceAll(' ', '-'))
  mkdirSync(folder)
  return folder
}
