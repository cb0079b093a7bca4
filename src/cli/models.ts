/** `npm run models -- pull <hub id>`, `npm run models -- list`. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { spokenPrecision } from '../vlm/folder/graph-names.js'
import { CliError, EXIT, runCommand } from './command.js'
import { listModels } from './hub/list.js'
import type { Output } from './hub/progress.js'
import { type Patience, pull } from './hub/pull.js'
import { readPrecision } from './hub/select.js'

const HELP = `Fetches model folders from a Hugging Face hub.

  npm run models -- pull <hub id> [--precision q8] [--revision main] [--out DIR]
  npm run models -- list

pull   the config, tokenizer and processor files and the ONNX graphs of one precision
       (fp32 fp16 int8 uint8 q4 q4f16 bnb4 q8; q8 by default, the fastest on a CPU) into models/<name>.
       A pull that broke off goes on where it stopped; every file is checked against the hub's checksum.
list   the model folders that are here.

Environment: HF_ENDPOINT (a mirror instead of https://huggingface.co), HF_TOKEN (for gated and private models).
Exit status: 0 done; 1 failed; 2 wrong arguments; 3 the hub does not have it; 4 the hub does not allow it.
`

/** What the command reads and writes outside of itself; tests pass their own. */
export interface World {
  env: Readonly<Record<string, string | undefined>>
  stdout: Output
  stderr: Output
  /** The folder that holds the model folders. */
  models: string
  patience?: Patience
}

/**
 * Runs the command.
 * @returns the exit code
 * @throws CliError failed, usage, notFound, notAllowed
 */
export async function models(args: string[], world: World): Promise<number> {
  const { values, positionals } = parse(args)
  const [command, id, ...rest] = positionals
  if (values.help) {
    world.stdout.write(HELP)
    return 0
  }
  if (command === 'list' && id === undefined) {
    for (const line of await listModels(world.models)) world.stdout.write(`${line}\n`)
    return 0
  }
  if (command !== 'pull' || id === undefined || rest.length > 0) throw new CliError(EXIT.usage, HELP.trimEnd())
  if (!/^([A-Za-z0-9][\w.-]*\/)?[A-Za-z0-9][\w.-]*$/.test(id))
    throw new CliError(EXIT.usage, `${id} is no hub id; they look like HuggingFaceTB/SmolVLM-256M-Instruct.`)
  const out = values.out ?? join(world.models, id.slice(id.indexOf('/') + 1))
  const precision = readPrecision(values.precision)
  const source = { id, revision: values.revision, ...readHub(world.env) }
  const { fetched } = await pull({ source, precision, out }, world.stderr, world.patience)
  const done = fetched.length > 0 ? `${fetched.length} files fetched` : 'nothing to do'
  world.stderr.write(`${done}. Use it with CROPPER_MODEL=${out} MODEL_PRECISION=${precision} npm start\n`)
  world.stdout.write(`${out}\n`)
  if (precision === 'quantized')
    world.stderr.write(`(${spokenPrecision(precision)} is the precision the hub suffixes _quantized.)\n`)
  return 0
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        precision: { type: 'string', default: 'q8' },
        revision: { type: 'string', default: 'main' },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new CliError(EXIT.usage, `${(error as Error).message}\n\n${HELP.trimEnd()}`)
  }
}

function readHub(env: World['env']): { endpoint: string; token: string | null } {
  const endpoint = (env.HF_ENDPOINT?.trim() || 'https://huggingface.co').replace(/\/+$/, '')
  if (!/^https?:\/\//.test(endpoint))
    throw new CliError(EXIT.usage, `HF_ENDPOINT is "${endpoint}", but must be a URL such as https://huggingface.co.`)
  const token = env.HF_TOKEN?.trim() || null
  // checked here because the hub's client (@huggingface/hub 2.17) throws a bare TypeError
  if (token !== null && !token.startsWith('hf_'))
    throw new CliError(EXIT.usage, 'HF_TOKEN does not look like a token of the hub: those begin with hf_.')
  return { endpoint, token }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../../models', import.meta.url))
  await runCommand(() =>
    models(process.argv.slice(2), { env: process.env, stdout: process.stdout, stderr: process.stderr, models: root }),
  )
}
