/** What runs the models: ONNX Runtime's execution providers, one row each. A new provider is a new row. */
import type { Precision } from '../folder/graph-names.js'
import { nvidiaMemoryBytes } from './nvidia-smi.js'

interface Provider {
  /** As messages name it, to follow "the fastest on" and before "cannot be had". */
  label: string
  /** What to do if it cannot be had, to follow "..., but it cannot be had."; null if it always can. */
  remedy: string | null
  /** ONNX Runtime's names. A node of a graph is run by the first of them that can. */
  ortProviders: readonly string[]
  /** Options of ONNX Runtime's sessions, besides those that are the same for all providers. */
  sessionOptions: { readonly enableCpuMemArena?: boolean }
  /** Whether optimised graphs are worth keeping on disk (see `optimised/cache.ts`). */
  keepsOptimisedGraphs: boolean
  preferredPrecision: {
    /** The fastest here. It is chosen over the folder's own, if the folder has it. */
    precision: Precision
    /**
     * The agreement with fp32 that `cropvlm.json` has to state for that: the mean IoU of a cropper's boxes, or the
     * share of a target's answers that are the same, both on pages that no run trained on. null: none is asked for.
     */
    minAgreement: number | null
  }
  /** Most pixels of one run of the vision encoder. A run cannot be cancelled, so it holds no more than gains time. */
  pixelsPerRun: number
  /** Jobs that an engine process is given at once, unless the configuration says otherwise. */
  batchSize: number
  /** Bytes of the device's memory that each process holds, by its pid; null if it has no memory of its own. */
  memoryBytes: (() => Promise<ReadonlyMap<number, number>>) | null
}

/** By the names that `EXECUTION_PROVIDER` takes. `auto` tries them from the last to the first. */
const TABLE = {
  cpu: {
    label: 'a CPU',
    remedy: null,
    ortProviders: ['cpu'],
    // The arena keeps the most memory that any run ever took, tens of megabytes a process. Without it a tile takes a
    // twentieth longer, for pages that the system clears anew (`trainer/bench/session_options.py`).
    sessionOptions: { enableCpuMemArena: false },
    keepsOptimisedGraphs: true,
    preferredPrecision: { precision: 'int8', minAgreement: 0.98 },
    // one tile of 512 pixels, or as many smaller ones as have its pixels: more tiles gain nothing
    pixelsPerRun: 512 ** 2,
    batchSize: 1,
    memoryBytes: null,
  },
  cuda: {
    label: 'CUDA',
    remedy: 'Install the CUDA build of onnxruntime-node, CUDA 12 and cuDNN 9',
    ortProviders: ['cuda', 'cpu'],
    sessionOptions: {},
    keepsOptimisedGraphs: false,
    preferredPrecision: { precision: 'fp16', minAgreement: null },
    // all 17 tiles of a square image at 2048, which keep a GPU busy
    pixelsPerRun: 17 * 512 ** 2,
    batchSize: 8,
    memoryBytes: nvidiaMemoryBytes,
  },
} as const satisfies Record<string, Provider>

export type ProviderName = keyof typeof TABLE
export const PROVIDERS: Readonly<Record<ProviderName, Provider>> = TABLE

/** The names of all providers. */
export const PROVIDER_NAMES = Object.keys(PROVIDERS) as readonly ProviderName[]

/** What `EXECUTION_PROVIDER` may be: `auto` takes the last provider of the table that can be had. */
export const PROVIDER_CHOICES = ['auto', ...PROVIDER_NAMES] as const
export type ProviderChoice = (typeof PROVIDER_CHOICES)[number]

/** One value for each provider. */
export function byProvider<T>(make: (name: ProviderName) => T): Record<ProviderName, T> {
  return Object.fromEntries(PROVIDER_NAMES.map(name => [name, make(name)])) as Record<ProviderName, T>
}
