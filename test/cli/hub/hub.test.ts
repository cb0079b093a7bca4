import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { readRepository } from '../../../src/cli/hub/hub.js'

const SHA = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00'
const OID = 'a'.repeat(40)
const GOOD = { type: 'file', path: 'config.json', size: 3, oid: OID }

/** A hub whose lists are `list`'s. @returns what reading one of its repositories gives */
async function listed(t: Test, list: (request: IncomingMessage, response: ServerResponse) => unknown) {
  const server = createServer((request, response) => {
    if (request.url?.includes('/tree/')) return list(request, response)
    response.end(JSON.stringify({ _id: '1', id: 'a/b', sha: SHA }))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return readRepository({ id: 'a/b', revision: 'main', endpoint, token: null }, 60_000)
}

const reply = (entries: unknown) => (_request: IncomingMessage, response: ServerResponse) =>
  response.setHeader('content-type', 'application/json').end(JSON.stringify(entries))

t.test('what a file cannot be is refused', async t => {
  const lfs = { oid: 'b'.repeat(64), size: 10, pointerSize: 134 }
  t.same(await listed(t, reply([GOOD, { ...GOOD, lfs }, { type: 'directory', path: 'onnx' }])), {
    commit: SHA,
    entries: [GOOD, { ...GOOD, lfs }, { type: 'directory', path: 'onnx' }],
  })
  const wrong = [
    null,
    7,
    { ...GOOD, path: 7 },
    { ...GOOD, size: -1 },
    { ...GOOD, size: '3' },
    { ...GOOD, size: 1.5 },
    { ...GOOD, size: 1e300 },
    { ...GOOD, oid: '../x' },
    { ...GOOD, lfs: 'x' },
    { ...GOOD, lfs: { ...lfs, size: -1 } },
    { ...GOOD, lfs: { ...lfs, oid: 'B' } },
  ]
  for (const entry of wrong)
    await t.rejects(
      listed(t, reply([entry])),
      {
        exitCode: 1,
        message: /lists a file of a\/b with a path, a size or a checksum that no file has; .*HF_ENDPOINT/,
      },
      JSON.stringify(entry),
    )
})

t.test('a list without an end is left', async t => {
  const again = (entries: unknown) => (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('link', `<http://${request.headers.host}${request.url}>; rel="next"`)
    return reply(entries)(request, response)
  }
  const page = Array.from({ length: 500 }, (_, i) => ({ ...GOOD, path: `${i}.json` }))
  await t.rejects(listed(t, again(page)), { exitCode: 1, message: /a\/b has more than 10000 files/ }, 'of files')
  await t.rejects(listed(t, again([])), { exitCode: 1, message: /in more than 1000 pages/ }, 'of empty pages')
})

t.test('a reply without an end is left', async t => {
  const endless = (_request: IncomingMessage, response: ServerResponse) => {
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(1 << 20)));
    }
    response.on('drain', more)
    more()
  }
  await t.rejects(listed(t, endless), { exitCode: 1, message: /replies with more than 16777216 bytes/ })
})
