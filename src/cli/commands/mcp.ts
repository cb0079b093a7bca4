/** `cropvlm mcp`: the tool `zoom_image` for agents, over stdin and stdout. */
import { resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { Config } from '../../config/service.js'
import { CropVlmError } from '../../errors.js'
import type { Root } from '../../mcp/source/roots.js'
import { CliError, EXIT } from '../command.js'
import { connect, SERVICE_OPTIONS } from '../connect.js'
import { count } from '../program.js'
import { command, type World } from '../spec.js'

export const mcp = command({
  name: 'mcp',
  summary: 'Serves the tool zoom_image to agents (Model Context Protocol over stdin and stdout).',
  details:
    "zoom_image shows one part of a picture at full resolution: the part that helps to answer a question, or a box. A host such as Claude Code or VS Code starts this command itself; docs/guide/mcp.md has its settings. Models are loaded when the first question comes, and a box needs none. A .env file is not read: the folder may be a stranger's.",
  arguments: [],
  options: {
    root: {
      value: 'DIR',
      repeated: true,
      meaning:
        "A folder whose pictures may be read; may be given several times. Without it, the host's own folders, or, where it names none, the folder in which the command is started.",
    },
    out: {
      value: 'DIR',
      meaning: 'Where crops are written, and stay. Without it, a temporary folder that goes when the server ends.',
    },
    ...SERVICE_OPTIONS,
  },
  examples: [
    ['mcp --root ~/Pictures', 'Serves the pictures in one folder and those below it.'],
    ['mcp --url http://127.0.0.1:8080', 'Asks a service that runs already where to look.'],
  ],
  async run(_args, { root, out, url, timeout }, world) {
    const timeoutMs = 1000 * count('--timeout', timeout)
    const config = await configOf(world)
    const roots = await rootsOf(root, world)
    // loaded here, so that --help does not wait for it
    const [{ serveMcp }, { ToolError }, { pino }] = await Promise.all([
      import('../../mcp/serve.js'),
      import('../../mcp/tool-error.js'),
      import('pino'),
    ])
    const level = world.env.LOG_LEVEL?.trim() || 'warn'
    await serveMcp({
      config,
      roots,
      out: out === undefined ? null : resolve(world.cwd, out),
      links: url === undefined ? config.imageUrls !== null : null,
      timeoutMs,
      async connect(signal) {
        // Hosts start this command in the folder that is open, whose .env could send the pictures elsewhere.
        const sheltered = { ...world, envFile: null, signal }
        try {
          return await connect(url, timeoutMs, sheltered)
        } catch (error) {
          throw error instanceof CliError ? new ToolError(error.message, { cause: error }) : error
        }
      },
      cwd: world.cwd,
      stdin: world.stdin as Readable,
      stdout: world.stdout as Writable,
      signal: world.signal,
      log: pino({ level }, { write: line => void world.stderr.write(line) }),
    })
    return 0
  },
})

/** @throws CliError usage */
async function configOf({ env }: World): Promise<Config> {
  const { readConfig } = await import('../../config/service.js')
  try {
    return readConfig(env)
  } catch (error) {
    if (!(error instanceof CropVlmError)) throw error
    throw new CliError(EXIT.usage, error.message, error)
  }
}

/** @throws CliError usage */
async function rootsOf(paths: readonly string[], { cwd }: World): Promise<Root[]> {
  const { rootAt } = await import('../../mcp/source/roots.js')
  return await Promise.all(
    paths.map(async path => {
      const root = await rootAt(resolve(cwd, path))
      if (root === null) throw new CliError(EXIT.usage, `--root ${path} is no folder that can be read.`)
      return root
    }),
  )
}
