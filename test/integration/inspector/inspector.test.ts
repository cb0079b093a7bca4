/** `cropvlm mcp` by the MCP Inspector: its checks of tools' schemas, a call, and many at once. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { COMMAND, environment } from '../../mcp/session.js'
import { ROOT } from '../../support/deploy-files.js'

t.setTimeout(300_000)

const HERE = join(ROOT, 'test/integration/inspector')
const INSTALLED = join(process.env.CROPVLM_INTEGRATIONS ?? join(homedir(), '.cache/cropvlm/integrations'), 'inspector')
const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : null)
const skip =
  read(join(INSTALLED, 'made-from.txt')) === read(join(HERE, 'packages.txt'))
    ? false
    : 'run sh test/integration/inspector/setup.sh, which takes a minute and 300 MB'

/** Runs the Inspector's command line on the server, which runs on the Node of this test. */
function inspect(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const bin = join(INSTALLED, 'node_modules/.bin')
  const server = [process.execPath, ...COMMAND, '--root', join(ROOT, 'docs')]
  const env = environment({ PATH: `${bin}:${process.env.PATH}`, MCP_CATALOG_PATH: join(t.testdir({}), 'mcp.json') })
  return new Promise(resolve => {
    execFile(
      join(bin, 'node'),
      [join(bin, 'mcp-inspector'), '--cli', ...server, ...args],
      { env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ status: Number(error?.code ?? 0), stdout, stderr }),
    )
  })
}

t.test('the MCP Inspector', { skip }, async t => {
  await t.test('finds no fault with the schemas of the tool', async t => {
    const { status, stdout, stderr } = await inspect('--method', 'tools/list', '--strict')
    t.same([status, stderr], [0, ''])
    t.match(JSON.parse(stdout), { tools: [{ name: 'zoom_image', outputSchema: { type: 'object' } }] })
  })

  const call = (input: object) => [
    ...['--method', 'tools/call', '--tool-name', 'zoom_image'],
    ...['--tool-args-json', JSON.stringify(input)],
  ]

  await t.test('gets a picture, and an error that it knows for one of the tool', async t => {
    const { status, stdout } = await inspect(...call({ image: 'example.png', bbox_2d: [0, 0, 500, 500] }))
    t.equal(status, 0)
    t.match(JSON.parse(stdout), {
      content: [{ type: 'text' }, { type: 'image', mimeType: 'image/png' }],
      structuredContent: { decision: 'given', bbox_pixels: [0, 0, 368, 281] },
    })
    const wrong = await inspect(...call({ image: 'missing.png', bbox_2d: [0, 0, 500, 500] }))
    t.match(wrong, { stderr: /tool_is_error/, stdout: /no file missing\.png/ })
    t.not(wrong.status, 0)
  })

  await t.test('calls it 60 times, 8 at once', async t => {
    const load = ['--load', '--load-requests', '60', '--load-concurrency', '8']
    const { stdout, stderr } = await inspect(...call({ image: 'example.png', bbox_2d: [0, 0, 200, 200] }), ...load)
    t.match(JSON.parse(stdout), { requests: 60, ok: 60, toolErrors: 0, errors: 0 }, stderr)
  })
})
