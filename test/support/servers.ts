/**
 * OpenAI-compatible servers that nobody here wrote, each in a process of its own on a free port, killed with the test. They
 * serve a tiny SmolVLM that says `ANSWER` to everything. `test/integration/servers/setup.sh` makes what they need.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { ROOT } from './deploy-files.js'

/** What the tiny model says, nine tokens with the one that ends the turn. */
export const ANSWER = 'The total is 482.'

const SETUP = 'test/integration/servers/setup.sh'
const HERE = join(ROOT, 'test/integration/servers')
const TRAINER = join(ROOT, 'trainer/.venv/bin/python')
const INSTALLED = process.env.CROPVLM_SERVERS ?? join(homedir(), '.cache/cropvlm/servers')
const MODEL = join(INSTALLED, 'weights/tiny-smolvlm')
/** LiteLLM refuses to start with a key that can be guessed. */
const MASTER_KEY = 'sk-3f9c1a77d05e4b6c8e21f4a90b7d6c35'

/**
 * For whatever imports LiteLLM, of which setup.sh compiles nothing: Python keeps what it compiles in a folder of its own, else
 * each start spends its seconds on that again.
 */
export const LITELLM_ENV = {
  LITELLM_LOCAL_MODEL_COST_MAP: 'True',
  PYTHONPYCACHEPREFIX: join(INSTALLED, 'compiled'),
  // an empty text counts as not set
  PYTHONDONTWRITEBYTECODE: '',
}

/** A Python that has OpenAI's, Anthropic's, LangChain's and LiteLLM's clients. */
export const PYTHON_CLIENTS = {
  command: join(INSTALLED, 'litellm/bin/python'),
  env: { ...LITELLM_ENV, PYTHONPATH: join(INSTALLED, 'clients') },
}

export interface ModelServer {
  /** Up to and with /v1. */
  readonly baseUrl: string
  /** The name that the server knows its model by. */
  readonly model: string
  readonly apiKey: string | null
}

/** Why the servers cannot be started here, and what to do about it; false where they can. */
export const noServers: string | false = isSetUp()
  ? false
  : `run sh ${SETUP}, which takes a minute or two and half a gigabyte`

/** Hugging Face's own server of models, `transformers serve`. */
export async function startTransformersServe(t: Test): Promise<ModelServer> {
  const options = ['--host', '127.0.0.1', '--port', '0', '--device', 'cpu']
  const url = await addressOf(t, {
    command: join(INSTALLED, 'models/bin/python'),
    args: ['-m', 'transformers.cli.transformers', 'serve', MODEL, ...options],
    env: { PYTHONPATH: trainerPackages(), HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' },
  })
  return { baseUrl: `${url}/v1`, model: MODEL, apiKey: null }
}

/**
 * llama.cpp's own server.
 * @param context Tokens that a prompt and its answer may have together.
 * @param multimodal Whether it gets the vision encoder.
 */
export async function startLlamaCpp(t: Test, { context = 1024, multimodal = true } = {}): Promise<ModelServer> {
  const [text, mmproj] = ['tiny-smolvlm.gguf', 'mmproj.gguf'].map(name => join(INSTALLED, 'weights', name)) as [
    string,
    string,
  ]
  const url = await addressOf(t, {
    command: join(INSTALLED, 'models/bin/python'),
    args: [join(HERE, 'llama_server.py'), String(context), text, ...(multimodal ? [mmproj] : [])],
  })
  return { baseUrl: `${url}/v1`, model: text, apiKey: null }
}

/**
 * A LiteLLM proxy in front of other servers.
 * @param upstreams By the names under which its clients ask for them; the first is the one that is returned.
 */
export async function startLiteLlm(t: Test, upstreams: Record<string, ModelServer>): Promise<ModelServer> {
  const models = Object.entries(upstreams).map(([name, { baseUrl, model, apiKey }]) => ({
    model_name: name,
    litellm_params: { model: `openai/${model}`, api_base: baseUrl, api_key: apiKey ?? 'none', max_retries: 0 },
  }))
  const config = join(t.testdir({}), 'litellm.yaml')
  // JSON is YAML
  writeFileSync(
    config,
    JSON.stringify({
      model_list: models,
      // what fails is told at once
      litellm_settings: { num_retries: 0 },
      router_settings: { num_retries: 0, disable_cooldowns: true },
      general_settings: { master_key: MASTER_KEY },
    }),
  )
  const url = await addressOf(t, {
    command: join(INSTALLED, 'litellm/bin/litellm'),
    args: ['--config', config, '--host', '127.0.0.1', '--port', '0', '--telemetry', 'False'],
    env: LITELLM_ENV,
  })
  return { baseUrl: `${url}/v1`, model: models[0]?.model_name ?? '', apiKey: MASTER_KEY }
}

interface Program {
  command: string
  args: string[]
  env?: Record<string, string>
}

/**
 * Starts a server.
 * @returns the address that it prints once it listens
 * @throws Error with the end of what it printed, where it ends before
 */
async function addressOf(t: Test, { command, args, env }: Program): Promise<string> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const printed: string[] = []
  return await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', line => {
        printed.push(line)
        const address = /(?:running on |"address": ")(http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1]
        if (address !== undefined) resolve(address)
      })
    child.on('error', reject)
    child.on('close', code => reject(new Error(`${command} ended with ${code}:\n${printed.slice(-20).join('\n')}`)))
  })
}

/** Where the trainer's packages are, PyTorch and transformers among them. */
function trainerPackages(): string {
  const program = 'import sysconfig; print(sysconfig.get_path("purelib"))'
  const { stdout } = spawnSync(TRAINER, ['-c', program], { encoding: 'utf8' })
  return stdout.trim()
}

/** Whether setup.sh ran to its end with the files that it would use now, and its packages of the trainer are in this checkout. */
function isSetUp(): boolean {
  if (!existsSync(TRAINER)) return false
  const sources = readdirSync(HERE).filter(name => /\.(txt|py)$/.test(name) && name !== 'llama_server.py')
  try {
    return sources.every(name =>
      readFileSync(join(HERE, name)).equals(readFileSync(join(INSTALLED, 'made-from', name))),
    )
  } catch {
    return false
  }
}
