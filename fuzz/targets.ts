/** Every target. Each is loaded by itself, so that a fuzzer sees the branches of no other. */
import { CliError, EXIT } from '../src/cli/command.js'
import type { Target } from './target.js'

const TARGETS: Readonly<Record<string, () => Promise<{ target: Target }>>> = {
  align: () => import('./targets/align.js'),
  base64: () => import('./targets/base64.js'),
  'batch-rows': () => import('./targets/batch-rows.js'),
  description: () => import('./targets/models/description.js'),
  dialects: () => import('./targets/dialects.js'),
  graph: () => import('./targets/models/graph.js'),
  image: () => import('./targets/image.js'),
  'json-image': () => import('./targets/json-image.js'),
  'json-scan': () => import('./targets/json-scan.js'),
  multipart: () => import('./targets/multipart.js'),
  protobuf: () => import('./targets/models/protobuf.js'),
  reply: () => import('./targets/reply.js'),
  tokenizer: () => import('./targets/models/tokenizer.js'),
}

export const TARGET_NAMES: readonly string[] = Object.keys(TARGETS)

/** @throws CliError usage: there is none of that name */
export async function targetNamed(name: string): Promise<Target> {
  const load = Object.hasOwn(TARGETS, name) ? TARGETS[name] : undefined
  if (!load) throw new CliError(EXIT.usage, `There is no target ${name}; there are ${TARGET_NAMES.join(', ')}.`)
  return (await load()).target
}
