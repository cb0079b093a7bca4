/** Which files of a hub repository make a model folder that the engine can load, and the checksum of each. */
import type { ListFileEntry } from '@huggingface/hub'
import {
  GRAPHS,
  type Graph,
  graphFile,
  PRECISION_NAMES,
  PRECISIONS,
  type Precision,
  parsePrecision,
  spokenPrecision,
} from '../../vlm/folder/graph-names.js'
import { CliError, EXIT } from '../command.js'

/** One file to fetch. */
export interface HubFile {
  /** Relative to the repository, and to the model folder. */
  path: string
  /** Bytes. */
  size: number
  /** Large files carry the sha256 of their content; small ones git's own blob id (a sha1 with a header). */
  checksum: { kind: 'sha256' | 'git-blob'; hex: string }
}

const GRAPH_KINDS = Object.keys(GRAPHS) as Graph[]

// These paths come from a stranger's repository and become paths on our disk, so only known forms are allowed.
const SETTINGS = /^[A-Za-z0-9][\w.-]*\.(json|jinja)$/
const DOCUMENTS = /^(LICENSE|LICENCE|NOTICE|README)(\.(md|txt))?$/i
/** An index of PyTorch weight shards, which is of no use without the shards. */
const WEIGHT_INDEX = /\.(safetensors|bin)\.index\.json$/

/**
 * The precision that `--precision` names.
 * @throws CliError usage: the name is none of PRECISION_NAMES
 */
export function readPrecision(name: string): Precision {
  const precision = parsePrecision(name)
  if (precision) return precision
  throw new CliError(EXIT.usage, `--precision ${name} is unknown; the hub's names are ${PRECISION_NAMES.join(', ')}.`)
}

/** The precisions of which all three graphs are among these paths (relative to the model folder). */
export function completePrecisions(paths: Iterable<string>): Precision[] {
  const there = new Set(paths)
  return PRECISIONS.filter(precision => GRAPH_KINDS.every(graph => there.has(graphFile(graph, precision))))
}

/**
 * The files to fetch. `config.json` is the last: a folder without it is not loaded, so that an unfinished pull is never
 * taken for a model.
 * @throws CliError failed, notFound
 */
export function selectFiles(id: string, entries: readonly ListFileEntry[], precision: Precision): HubFile[] {
  const files = entries.filter(entry => entry.type === 'file')
  const paths = files.map(entry => entry.path)
  if (!paths.some(path => path.startsWith('onnx/')))
    throw new CliError(
      EXIT.notFound,
      `${id} has no onnx/ folder, so the engine cannot run it. Its weights can be exported with \`cropvlm-train export\`.`,
    )
  const complete = completePrecisions(paths)
  if (!complete.includes(precision)) {
    const others =
      complete.length > 0 ? `it has ${complete.map(spokenPrecision).join(', ')}` : 'it has none that is complete'
    throw new CliError(
      EXIT.notFound,
      `${id} has no ${spokenPrecision(precision)} graphs for all of ${Object.values(GRAPHS).join(', ')}; ${others}.`,
    )
  }
  if (!paths.includes('config.json')) throw new CliError(EXIT.notFound, `${id} has no config.json at its top level.`)
  return files
    .filter(({ path }) => isSetting(path) || GRAPH_KINDS.some(graph => belongsTo(path, graphFile(graph, precision))))
    .map(toHubFile)
    .sort((a, b) => Number(a.path === 'config.json') - Number(b.path === 'config.json'))
}

/** Whether the path is the graph or a file of its external data: `x.onnx_data`, `x.onnx_data_1`, `x.onnx.data`. */
function belongsTo(path: string, graph: string): boolean {
  return path === graph || (path.startsWith(graph) && /^[._]data(_\d+)?$/.test(path.slice(graph.length)))
}

function isSetting(path: string): boolean {
  return (SETTINGS.test(path) && !WEIGHT_INDEX.test(path)) || DOCUMENTS.test(path)
}

function toHubFile({ path, size, oid, lfs }: ListFileEntry): HubFile {
  if (lfs) return { path, size: lfs.size, checksum: { kind: 'sha256', hex: lfs.oid } }
  if (oid) return { path, size, checksum: { kind: 'git-blob', hex: oid } }
  throw new CliError(EXIT.failed, `The hub lists no checksum for ${path}; without one it is not fetched.`)
}
