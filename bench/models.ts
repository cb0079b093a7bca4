/** The model folders and pages of the bench, made once into its cache. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CliError, EXIT } from '../src/cli/command.js'
import { graphFile, type Precision } from '../src/vlm/folder/graph-names.js'
import type { Options } from './options.js'
import { PYTHON, pythonMissing, runToEnd } from './python.js'
import { ROOT } from './root.js'
import { BUNDLED_MODELS } from './service.js'

export interface ModelFolders {
  name: 'full-size' | 'mini'
  /** The folder that the service loads. */
  ours: string
  /** The checkpoint that transformers loads; null where there is none. */
  checkpoint: string | null
  /** The folder that transformers.js loads; null where there is none. */
  hub: string | null
}

const BUNDLED = BUNDLED_MODELS.CROPPER_MODEL
/** Seed of the pages on which precisions are compared. No model was trained on pages of this seed. */
const PAGES_SEED = '20261122'

/**
 * The full-size architecture with random weights.
 * @throws CliError failed, usage: the message names what is missing
 */
export async function fullModel({ cache, files, precisions, peers, device }: Options): Promise<ModelFolders> {
  requirePython('the full-size model')
  if (!existsSync(join(files, 'config.json')))
    throw new CliError(
      EXIT.usage,
      `${files} holds no config.json; name a folder with SmolVLM-256M-Instruct's files with --files, or leave out what needs the full model: --models mini --only latency,agreement,load`,
    )
  // models of another device have other precisions
  const folder = join(cache, device)
  const hub = peers.some(({ name }) => name === 'transformers.js')
  const args = ['full', '--files', files, '--out', folder, '--precision', ...precisions, ...(hub ? ['--hub'] : [])]
  await python('peer_models.py', args)
  const made = (name: string) => join(folder, 'full-size', name)
  return { name: 'full-size', ours: made('ours'), checkpoint: made('checkpoint'), hub: hub ? made('hub') : null }
}

/**
 * The bundled cropper: as it is where it has all the precisions, else a copy with those that it lacks. Peers need the
 * checkpoint it was exported from, which is not bundled.
 */
export async function miniModel(options: Options, precisions = options.precisions): Promise<ModelFolders> {
  const { cache, miniCheckpoint } = options
  const complete = bundledPrecisions(precisions).length === precisions.length
  if (complete && miniCheckpoint === null) return { name: 'mini', ours: BUNDLED, checkpoint: null, hub: null }
  requirePython(`the precisions that ${BUNDLED} lacks`)
  const checkpoint = miniCheckpoint === null ? [] : ['--checkpoint', miniCheckpoint, '--hub']
  await python('peer_models.py', [
    ...['mini', '--folder', BUNDLED, '--out', cache, '--precision', ...precisions],
    ...checkpoint,
  ])
  const made = (name: string) => join(cache, 'mini', name)
  return {
    name: 'mini',
    ours: made('ours'),
    checkpoint: miniCheckpoint,
    hub: miniCheckpoint === null ? null : made('hub'),
  }
}

/** Which of the precisions the bundled folder has by itself. */
export function bundledPrecisions(precisions: readonly Precision[]): Precision[] {
  return precisions.filter(precision => existsSync(join(BUNDLED, graphFile('decoder', precision))))
}

/** The folder of the held-out pages. */
export async function pages({ cache, pages: n }: Options): Promise<string> {
  const folder = join(cache, `pages-${n}`)
  if (existsSync(join(folder, 'manifest.jsonl'))) return folder
  requirePython('the pages of the agreement part')
  const args = ['data', 'synth', '--n', String(n), '--seed', PAGES_SEED, '--out', folder]
  await runToEnd(join(ROOT, 'trainer/.venv/bin/cropvlm-train'), args)
  return folder
}

/** Installs transformers.js where it is missing: it is no dependency of the service. */
export async function installTransformersJs(): Promise<void> {
  const folder = join(ROOT, 'bench/transformers-js')
  if (existsSync(join(folder, 'node_modules/@huggingface/transformers'))) return
  // its post-install would fetch the CUDA provider, which the CPU's comparison does not need
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }
  await runToEnd('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], env, folder)
}

function requirePython(what: string): void {
  const missing = pythonMissing()
  if (missing !== null) throw new CliError(EXIT.failed, `${what} cannot be made: ${missing}.`)
}

function python(script: string, args: readonly string[]): Promise<void> {
  return runToEnd(PYTHON, [join(ROOT, 'trainer/bench', script), ...args])
}
