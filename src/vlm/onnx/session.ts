import { env, InferenceSession, Tensor } from 'onnxruntime-node'
import { CropVlmError } from '../../errors.js'
import { fromHalf, halfWords, toHalf } from './half.js'
import { cachedGraph, type GraphCache } from './optimised/cache.js'

// Its errors come as exceptions too; the lines it writes by itself would stand in the log without a level.
env.logLevel = 'fatal'

/** One value that goes in or comes out of a graph. `dims` as the graph declares its ranks. */
export interface TensorValue {
  data: Float32Array | Uint16Array | BigInt64Array | Uint8Array
  dims: readonly number[]
}

/** What a graph declares: element type (`float32`, `float16`, `int64`, `bool`) and shape; a name is a free size. */
export interface TensorSpec {
  type: string
  shape: readonly (number | string)[]
}

/** One loaded graph. Tests replace it by a scripted one. */
export interface Session {
  readonly inputs: ReadonlyMap<string, TensorSpec>
  readonly outputs: ReadonlyMap<string, TensorSpec>
  /**
   * Runs the graph; runs of one process never overlap. 32-bit floats become halves where the graph declares them.
   * @param wanted The outputs that are given: each is copied out of the graph. All where it is left out.
   */
  run(feeds: Record<string, TensorValue>, wanted?: readonly string[]): Promise<Record<string, TensorValue>>
  close(): Promise<void>
}

export type Provider = 'cpu' | 'cuda'

export interface OpenedSessions {
  sessions: Session[]
  provider: Provider
  /** Why that provider: the operator's choice, or what `auto` found. */
  reason: string
}

/**
 * Opens graphs, all on one execution provider. `auto` takes CUDA where it can be had.
 * @param files The same for each provider, or those for each.
 * @param cache Where graphs optimised for the CPU are kept; null: nowhere.
 * Throws `invalid_config` where `cuda` is asked for and cannot be had, `invalid_model` naming the file that no
 * provider can load.
 */
export async function openSessions(
  files: readonly string[] | Record<Provider, readonly string[]>,
  wanted: Provider | 'auto',
  threads: number | null,
  cache: GraphCache | null = null,
): Promise<OpenedSessions> {
  const { cpu, cuda } = Array.isArray(files) ? { cpu: files, cuda: files } : (files as Record<Provider, string[]>)
  const onCpu = () => openAll(cpu, file => openOnCpu(file, threads, cache))
  if (wanted === 'cpu') return { sessions: await onCpu(), provider: 'cpu', reason: 'EXECUTION_PROVIDER=cpu' }
  try {
    const sessions = await openAll(cuda, file => open(file, 'cuda', threads))
    const reason = wanted === 'auto' ? 'auto: the CUDA provider loaded' : 'EXECUTION_PROVIDER=cuda'
    return { sessions, provider: 'cuda', reason }
  } catch (cause) {
    const why = firstLine((cause as CropVlmError).cause ?? cause)
    // A broken graph fails on the CPU too, and is then reported as what it is.
    const sessions = await onCpu()
    if (wanted === 'auto') return { sessions, provider: 'cpu', reason: `auto: CUDA cannot be had (${why})` }
    await Promise.all(sessions.map(session => session.close()))
    throw new CropVlmError(
      'invalid_config',
      `EXECUTION_PROVIDER=cuda, but CUDA cannot be had (${why}). Install the CUDA build of onnxruntime-node, CUDA 12 and cuDNN 9, or set EXECUTION_PROVIDER=auto.`,
      { cause },
    )
  }
}

/**
 * Optimises a graph for this CPU and writes it as `graph`, its weights beside it as `data`, both as they were and as
 * the kernels want them. Throws ONNX Runtime's error.
 */
export async function saveOptimised(file: string, graph: string, data: string): Promise<void> {
  await InferenceSession.create(file, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    optimizedModelFilePath: graph,
    intraOpNumThreads: 1,
    extra: {
      session: {
        optimized_model_external_initializers_file_name: data,
        // smaller ones may be shapes, which have to be in the graph
        optimized_model_external_initializers_min_size_in_bytes: '1024',
        save_external_prepacked_constant_initializers: '1',
      },
    },
  })
}

async function openAll(files: readonly string[], openOne: (file: string) => Promise<Session>): Promise<Session[]> {
  const sessions: Session[] = []
  for (const file of files) sessions.push(await openOne(file))
  return sessions
}

async function openOnCpu(file: string, threads: number | null, cache: GraphCache | null): Promise<Session> {
  const cached = cache && (await cachedGraph(file, cache, env.versions.common))
  if (!cached) return open(file, 'cpu', threads)
  try {
    // optimised once more it might lose what was saved with it
    return await open(cached, 'cpu', threads, 'disabled')
  } catch (error) {
    const session = await open(file, 'cpu', threads)
    cache.log('warn', `${file} is loaded as it is: its optimised form fails (${(error as Error).message})`)
    return session
  }
}

async function open(
  file: string,
  provider: Provider,
  threads: number | null,
  level: 'all' | 'disabled' = 'all',
): Promise<Session> {
  try {
    const session = await InferenceSession.create(file, {
      executionProviders: provider === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
      graphOptimizationLevel: level,
      // The arena keeps the most that any run ever took, tens of megabytes a process; without it a tile takes a
      // twentieth longer, for pages that the system clears anew (`trainer/bench/session_options.py`).
      ...(provider === 'cpu' && { enableCpuMemArena: false }),
      ...(threads === null ? {} : { intraOpNumThreads: threads }),
      // Waiting threads spin between the nodes of a run, which saves a quarter of a token's, but never behind it: they
      // would steal the cores from the other graphs and from the process that serves HTTP.
      extra: { session: { intra_op: { allow_spinning: '1' }, force_spinning_stop: '1' } },
    })
    return new OnnxSession(session)
  } catch (cause) {
    throw new CropVlmError('invalid_model', `${file} cannot be loaded as an ONNX graph (${firstLine(cause)}).`, {
      cause,
    })
  }
}

class OnnxSession implements Session {
  readonly inputs: ReadonlyMap<string, TensorSpec>
  readonly outputs: ReadonlyMap<string, TensorSpec>

  constructor(private readonly session: InferenceSession) {
    this.inputs = specs(session.inputMetadata)
    this.outputs = specs(session.outputMetadata)
  }

  async run(feeds: Record<string, TensorValue>, wanted: readonly string[] = [...this.outputs.keys()]) {
    const inputs: Record<string, Tensor> = {}
    for (const [name, spec] of this.inputs) {
      const value = feeds[name]
      if (!value) throw new Error(`the graph's input ${name} was not fed`)
      inputs[name] = tensor(value, spec)
    }
    const results = await this.session.run(inputs, wanted)
    return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, value(result)]))
  }

  async close() {
    await this.session.release()
  }
}

function value({ type, data, dims }: Tensor): TensorValue {
  return { data: type === 'float16' ? halfWords(data as Uint16Array) : (data as TensorValue['data']), dims }
}

/** The values of a `float32` or `float16` output. */
export function floats({ data }: TensorValue): Float32Array {
  return data instanceof Float32Array ? data : fromHalf(data as Uint16Array)
}

function tensor({ data, dims }: TensorValue, { type }: TensorSpec): Tensor {
  const fitting = type === 'float16' && data instanceof Float32Array ? toHalf(data) : data
  return new Tensor(type as Tensor.Type, fitting as Tensor.DataType, dims)
}

function specs(metadata: readonly InferenceSession.ValueMetadata[]): ReadonlyMap<string, TensorSpec> {
  return new Map(
    metadata.flatMap(value => (value.isTensor ? [[value.name, { type: value.type, shape: value.shape }]] : [])),
  )
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}
