/** `cropvlm serve`: runs the service until it is stopped. */
import { CropVlmError } from '../../errors.js'
import { CliError, EXIT } from '../command.js'
import { ENV_FILE_OPTION, environment } from '../environment.js'
import { command } from '../spec.js'

/** The variable that each option sets. */
const VARIABLES = {
  port: 'PORT',
  host: 'HOST',
  cropper: 'CROPPER',
  'cropper-model': 'CROPPER_MODEL',
  'cropper-url': 'CROPPER_BASE_URL',
  'target-url': 'TARGET_BASE_URL',
  'target-model': 'TARGET_MODEL',
  'target-profile': 'TARGET_PROFILE',
  'local-target': 'LOCAL_TARGET_MODEL',
  zoom: 'ZOOM',
  'log-level': 'LOG_LEVEL',
} as const

export const serve = command({
  name: 'serve',
  summary: 'Runs the service: the page, the API, and an OpenAI-compatible server under /v1.',
  details: `Everything is configured by environment variables, which docs/reference/configuration.md lists; the commonest have an option, which stands above
its variable. Variables that are not set are read from .env in the working folder, if there is one. Keys are given as variables
alone: API_KEY, which clients have to send, and TARGET_API_KEY, which the target gets.
The log goes to stdout, a line of JSON each; on a terminal only warnings, unless LOG_LEVEL is set.`,
  arguments: [],
  options: {
    port: { value: 'N', short: 'p', meaning: 'Port to listen on; 0 takes a free one (PORT). Default: 8080.' },
    host: { value: 'ADDRESS', meaning: 'Address to listen on; 0.0.0.0 is every interface (HOST). Default: 127.0.0.1.' },
    'target-url': {
      value: 'URL',
      meaning: 'OpenAI-compatible endpoint that answers, up to and with /v1 (TARGET_BASE_URL).',
    },
    'target-model': { value: 'NAME', meaning: 'Its model; or local:FOLDER, run by this service (TARGET_MODEL).' },
    'target-profile': { value: 'NAME', meaning: 'What the target is shown and told (TARGET_PROFILE).' },
    'local-target': {
      value: 'FOLDER',
      meaning: 'Model folder that answers where there is no other target (LOCAL_TARGET_MODEL).',
    },
    cropper: { value: 'KIND', meaning: 'What finds the box: text, onnx, openai, target, attention (CROPPER).' },
    'cropper-model': {
      value: 'FOLDER',
      meaning: 'Model folder of the cropper, such as models/cropvlm-mini (CROPPER_MODEL).',
    },
    'cropper-url': { value: 'URL', meaning: 'Endpoint of a VLM that finds the boxes (CROPPER_BASE_URL).' },
    zoom: { value: 'WHEN', meaning: 'When a request under /v1 gets a crop: auto, always, off (ZOOM).' },
    'log-level': { value: 'LEVEL', meaning: 'Least level of log lines, such as info or debug (LOG_LEVEL).' },
    'env-file': ENV_FILE_OPTION,
  },
  examples: [
    ['serve', 'On port 8080; the text reader finds the boxes.'],
    [
      'serve --target-url http://127.0.0.1:11434/v1 --target-model qwen2.5vl:7b',
      "In front of Ollama; the model's own boxes are used.",
    ],
  ],
  async run(_args, options, world) {
    const given = Object.entries(VARIABLES).flatMap(([option, variable]) => {
      const value = options[option as keyof typeof VARIABLES]
      return value === undefined ? [] : [[variable, value] as const]
    })
    const onTerminal = world.stdout.isTTY === true
    const configured = { ...(await environment(world)), ...Object.fromEntries(given) }
    const env = onTerminal && !configured.LOG_LEVEL?.trim() ? { ...configured, LOG_LEVEL: 'warn' } : configured
    // loaded here, so that --help does not wait for the service's modules
    const { serve } = await import('../../serve.js')
    // from here on a signal is for the service
    world.signal.throwIfAborted()
    try {
      await serve(env, ({ url, service: { choice, targets } }) => {
        if (onTerminal) world.stdout.write(announcement(url, choice.cropper, [...targets.keys()]))
      })
    } catch (error) {
      if (!(error instanceof CropVlmError)) throw error
      const sets = given.map(([variable]) => variable).filter(variable => error.message.includes(variable))
      const options = Object.entries(VARIABLES).filter(([, variable]) => sets.includes(variable))
      const hint = options.map(([option, variable]) => `\n(--${option} sets ${variable}.)`).join('')
      throw new CliError(EXIT.usage, `${error.message}${hint}`, error)
    }
    // a signal ends the process
    return new Promise<number>(() => {})
  },
})

/** What a person at a terminal is told once the service is ready. */
function announcement(url: string, cropper: string, targets: readonly string[]): string {
  return `CropVLM is ready.

  page                 ${url}/
  API                  ${url}/docs
  OpenAI-compatible    ${url}/v1

Boxes are found by ${cropper}; answers come from ${targets.join(', ')}. Ctrl+C stops it.
`
}
