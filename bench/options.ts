/** The command line of `npm run bench`. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CliError, EXIT } from '../src/cli/command.js'
import { PRECISIONS, type Precision } from '../src/vlm/folder/graph-names.js'
import type { Device } from './engines/peer.js'
import { ROOT } from './root.js'

export const PARTS = ['latency', 'second', 'agreement', 'load', 'processes', 'text', 'proxy'] as const
export type Part = (typeof PARTS)[number]

export const HELP = `Measures the service beside what people use today; writes results.json and RESULTS.md.

  npm run bench -- [--quick] [--only PART,...] [options]

--only PART,...      latency    one box at each resolution: ours in each precision, transformers, transformers.js
                     second     the same image with another question
                     agreement  the bundled cropper's boxes and answers in int8 against fp32
                     load       an open-loop load on the bundled models at rising rates
                     processes  what a second engine process costs and gives
                     text       the text cropper on pages of text: time by stage, memory
                     proxy      what the proxy adds beside nginx: without an image, with one, to 200 streams
                     Parts left out keep the figures of an earlier run on the same machine.
--quick              under two minutes: latency and load of the bundled models with few rounds, into bench/.cache/quick
--models NAME,...    of latency: full (256M architecture, random weights), mini (the bundled cropper); both
--rounds R=N,...     of the full model: rounds at each longest edge (512=7,1024=3,2048=2)
--mini-rounds N      of the bundled cropper (25)
--precisions P,...   of ours (fp32,int8,q4; on cuda fp32,fp16)
--ours P             the precision that ratios are of, and that second and processes take (int8; on cuda fp16)
--peers E:P,...      or none (transformers:fp32,transformers:bf16,transformers.js:fp32,transformers.js:q8;
                     on cuda transformers:fp16,transformers:bf16)
--device cpu|cuda    where all of them run (cpu)
--files DIR          config and tokenizer of SmolVLM-256M-Instruct (../shared/smolvlm-256m-instruct)
--mini-checkpoint D  the transformers checkpoint of the bundled cropper (trainer/experiments/miniature/mini.sh): without it the
                     peers, which need one, are measured on the full model alone
--pages N            of agreement (500)
--text-images DIR    of text: a folder of JPEG pages (../shared/real/images); the part is left out where it is absent
--text-pages N       of them, spread over all (40)
--load-seconds N     of each rate (8)
--load-rates M,...   in multiples of the measured capacity (0.25,0.5,0.75,1,1.5,2,5)
--load-set "A=B ..." settings of the service under load; once for each set of them (the defaults, and
                     but for --quick and cuda two processes)
--render             only writes RESULTS.md anew, from results.json and NOTES.md
--cache DIR          models and pictures, made where they are missing (bench/.cache)
--out DIR            where results.json and RESULTS.md go (bench); NOTES.md there is put into RESULTS.md

The settings of the service that the environment holds apply (THREADS, ENGINE_PROCESSES ...), but for those the bench
sets itself. The full model needs 5 GB of disk and trainer/.venv (\`sh trainer/setup.sh\`); transformers.js is installed
into bench/transformers-js on first use.
`

export interface Options {
  quick: boolean
  render: boolean
  parts: readonly Part[]
  models: readonly ('full' | 'mini')[]
  /** Longest edge -> rounds, rising. */
  rounds: readonly (readonly [resolution: number, rounds: number])[]
  miniRounds: number
  precisions: readonly Precision[]
  ours: Precision
  peers: readonly { name: 'transformers' | 'transformers.js'; precision: string }[]
  device: Device
  files: string
  miniCheckpoint: string | null
  pages: number
  textImages: string
  textPages: number
  loadSeconds: number
  loadRates: readonly number[]
  loadSets: readonly Record<string, string>[]
  cache: string
  out: string
}

/**
 * Reads the command line.
 * @returns null where help is asked for
 * @throws CliError usage
 */
export function readOptions(args: readonly string[]): Options | null {
  const values = parse(args)
  if (values.help) return null
  const quick = values.quick
  const device = oneOf('--device', values.device, ['cpu', 'cuda'])
  const onCuda = device === 'cuda'
  const precisions = list(values.precisions ?? (onCuda ? 'fp32,fp16' : 'fp32,int8,q4')).map(name =>
    oneOf('--precisions', name, PRECISIONS),
  )
  const wanted = values.ours ?? (onCuda ? 'fp16' : 'int8')
  const ours = precisions.find(precision => precision === wanted)
  if (ours === undefined) throw usage(`--ours is ${wanted}, which --precisions has not`)
  const peers = values.peers ?? (onCuda ? CUDA_PEERS : CPU_PEERS)
  const cache = values.cache ?? join(ROOT, 'bench/.cache')
  return {
    quick,
    render: values.render,
    parts: list(values.only ?? (quick ? 'latency,load' : PARTS.join())).map(part => oneOf('--only', part, PARTS)),
    models: list(values.models ?? (quick ? 'mini' : 'full,mini')).map(name => oneOf('--models', name, MODELS)),
    rounds: readRounds(values.rounds ?? '512=7,1024=3,2048=2'),
    miniRounds: count('--mini-rounds', values['mini-rounds'] ?? (quick ? '7' : '25')),
    precisions,
    ours,
    peers: peers === 'none' ? [] : list(peers).map(readPeer),
    device,
    files: values.files ?? join(ROOT, '../shared/smolvlm-256m-instruct'),
    miniCheckpoint: values['mini-checkpoint'] ?? null,
    pages: count('--pages', values.pages ?? '500'),
    textImages: values['text-images'] ?? join(ROOT, '../shared/real/images'),
    textPages: count('--text-pages', values['text-pages'] ?? '40'),
    loadSeconds: count('--load-seconds', values['load-seconds'] ?? (quick ? '3' : '8')),
    loadRates: list(values['load-rates'] ?? (quick ? '0.5,1,5' : '0.25,0.5,0.75,1,1.5,2,5')).map(positive),
    loadSets: (values['load-set'] ?? (quick || onCuda ? [''] : LOAD_SETS)).map(readSettings),
    cache,
    out: values.out ?? (quick ? join(cache, 'quick') : join(ROOT, 'bench')),
  }
}

const MODELS = ['full', 'mini'] as const
const CPU_PEERS = 'transformers:fp32,transformers:bf16,transformers.js:fp32,transformers.js:q8'
/** The default settings, and the one setting that makes small models faster. */
const LOAD_SETS = ['', 'ENGINE_PROCESSES=2']
const CUDA_PEERS = 'transformers:fp16,transformers:bf16'

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        quick: { type: 'boolean', default: false },
        render: { type: 'boolean', default: false },
        device: { type: 'string', default: 'cpu' },
        'load-set': { type: 'string', multiple: true },
        only: text,
        models: text,
        rounds: text,
        'mini-rounds': text,
        precisions: text,
        ours: text,
        peers: text,
        files: text,
        'mini-checkpoint': text,
        pages: text,
        'text-images': text,
        'text-pages': text,
        'load-seconds': text,
        'load-rates': text,
        cache: text,
        out: text,
      },
    }).values
  } catch (error) {
    throw usage((error as Error).message)
  }
}

function readRounds(value: string): [number, number][] {
  const pairs = list(value).map((pair): [number, number] => {
    const [resolution = '', rounds = ''] = pair.split('=')
    return [count('--rounds', resolution), count('--rounds', rounds)]
  })
  // peaks of memory only ever rise: the largest comes last
  return pairs.sort(([a], [b]) => a - b)
}

function readPeer(value: string): Options['peers'][number] {
  const [name = '', precision = ''] = value.split(':')
  if (precision === '') throw usage(`--peers has "${value}"; a peer is ENGINE:PRECISION`)
  return { name: oneOf('--peers', name, ['transformers', 'transformers.js'] as const), precision }
}

function readSettings(value: string): Record<string, string> {
  const pairs = value.split(/\s+/).filter(Boolean)
  const wrong = pairs.find(pair => !/^\w+=/.test(pair))
  if (wrong !== undefined) throw usage(`--load-set has "${wrong}"; a setting is NAME=VALUE`)
  return Object.fromEntries(pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

function list(value: string): string[] {
  return value.split(',').map(part => part.trim())
}

function oneOf<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find(one => one === value)
  if (found === undefined) throw usage(`${option} has "${value}"; known are ${known.join(', ')}`)
  return found
}

function count(option: string, value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw usage(`${option} has "${value}", but must have whole numbers of 1 or more`)
}

function usage(problem: string): CliError {
  return new CliError(EXIT.usage, `${problem}.\n\n${HELP.trimEnd()}`)
}

function positive(value: string): number {
  const number = Number(value)
  if (Number.isFinite(number) && number > 0) return number
  throw usage(`--load-rates has "${value}", but must have numbers above 0`)
}
