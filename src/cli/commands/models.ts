/** `cropvlm models pull`, `cropvlm models list`: the model folders of the working folder. */
import { join, resolve } from 'node:path'
import { CliError, EXIT } from '../command.js'
import type { Patience } from '../hub/pull.js'
import { type CommandGroup, command, type World } from '../spec.js'

const DEFAULT_HUB = 'https://huggingface.co'

/** @param patience How often a download is tried; tests have less. */
export const modelsCommand = (patience?: Patience): CommandGroup => ({
  name: 'models',
  summary: 'Fetches model folders from a Hugging Face hub, and lists those that are here.',
  commands: [pull(patience), list],
})

const pull = (patience?: Patience) =>
  command({
    name: 'pull',
    summary: 'Fetches a model folder from a Hugging Face hub.',
    details: `It gets the config, tokenizer and processor files and the ONNX graphs of one precision, and goes into models/ of the working
folder. A pull that broke off goes on where it stopped; every file is checked against the hub's checksum.
Variables: HF_ENDPOINT, a mirror instead of ${DEFAULT_HUB}; HF_TOKEN, for gated and private models.`,
    arguments: [{ name: 'ID', meaning: 'As on the hub, such as HuggingFaceTB/SmolVLM-256M-Instruct.' }],
    options: {
      precision: {
        value: 'NAME',
        default: 'q8',
        meaning: 'fp32 fp16 int8 uint8 q4 q4f16 bnb4 q8; q8 is the fastest on a CPU.',
      },
      revision: { value: 'NAME', default: 'main', meaning: 'Branch, tag or commit.' },
      out: { value: 'DIR', meaning: 'The folder to fill. Default: models/ and the name.' },
    },
    examples: [['models pull HuggingFaceTB/SmolVLM-256M-Instruct', 'Fetches it into models/SmolVLM-256M-Instruct.']],
    async run([id = ''], { precision: wanted, revision, out: given }, { env, cwd, stdout, stderr }) {
      if (!/^([A-Za-z0-9][\w.-]*\/)?[A-Za-z0-9][\w.-]*$/.test(id))
        throw new CliError(EXIT.usage, `${id} is no hub id; they look like HuggingFaceTB/SmolVLM-256M-Instruct.`)
      // loaded here, so that --help does not wait for the hub's client
      const [{ pull }, { readPrecision }, { spokenPrecision }] = await Promise.all([
        import('../hub/pull.js'),
        import('../hub/select.js'),
        import('../../vlm/folder/graph-names.js'),
      ])
      const out = given === undefined ? join(cwd, 'models', id.slice(id.indexOf('/') + 1)) : resolve(cwd, given)
      const precision = readPrecision(wanted)
      const { fetched } = await pull({ source: { id, revision, ...readHub(env) }, precision, out }, stderr, patience)
      const done = fetched.length > 0 ? `${fetched.length} files fetched` : 'nothing to do'
      stderr.write(
        `${done}. Use it with CROPPER_MODEL=${out} MODEL_PRECISION=${precision} cropvlm serve (or npm start)\n`,
      )
      stdout.write(`${out}\n`)
      if (precision === 'quantized')
        stderr.write(`(${spokenPrecision(precision)} is the precision the hub suffixes _quantized.)\n`)
      return 0
    },
  })

const list = command({
  name: 'list',
  summary: 'Lists the model folders of the working folder, and those that the package brings.',
  arguments: [],
  options: {},
  async run(_args, _options, { cwd, stdout }) {
    const [{ listModels }, { BUNDLED_MODELS }] = await Promise.all([
      import('../hub/list.js'),
      import('../../config/model-folder.js'),
    ])
    const here = join(cwd, 'models')
    for (const folder of new Set([here, BUNDLED_MODELS]))
      for (const line of await listModels(folder)) stdout.write(`${line}\n`)
    return 0
  },
})

function readHub(env: World['env']): { endpoint: string; token: string | null } {
  const endpoint = (env.HF_ENDPOINT?.trim() || DEFAULT_HUB).replace(/\/+$/, '')
  if (!/^https?:\/\//.test(endpoint))
    throw new CliError(EXIT.usage, `HF_ENDPOINT is "${endpoint}", but must be a URL such as ${DEFAULT_HUB}.`)
  const token = env.HF_TOKEN?.trim() || null
  // checked here because the hub's client (@huggingface/hub 2.17) throws a bare TypeError
  if (token !== null && !token.startsWith('hf_'))
    throw new CliError(EXIT.usage, 'HF_TOKEN does not look like a token of the hub: those begin with hf_.')
  return { endpoint, token }
}
