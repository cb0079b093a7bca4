import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { boundedFetch } from '../../../src/cli/hub/bounded-fetch.js'

async function serve(t: Test, reply: (response: ServerResponse) => unknown): Promise<string> {
  const server = createServer((_request, response) => reply(response))
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const LIMITS = { maxBytes: 1000, maxRequests: 3, timeoutMs: 60_000 }

t.test('a reply is as it came', async t => {
  const url = await serve(t, response => response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end('{"a": 1}'))
  const response = await boundedFetch(LIMITS)(`${url}/x`)
  t.match(response, { status: 404, url: `${url}/x`, ok: false })
  t.equal(response.headers.get('x-error-code'), 'EntryNotFound')
  t.same(await response.json(), { a: 1 })
})

t.test('an endless reply is left, whatever length it claims', async t => {
  let closed = () => {}
  const left = new Promise<void>(resolve => {
    closed = resolve
  })
  const url = await serve(t, response => {
    response.on('close', closed).on('drain', more)
    function more() {
      while (!response.destroyed && response.write(Buffer.alloc(400, 'a')));
    }
    more()
  })
  await t.rejects(boundedFetch(LIMITS)(url), {
    exitCode: 1,
    message: `${url} replies with more than 1000 bytes where it should list files. Is it a Hugging Face hub? HF_ENDPOINT names another one.`,
  })
  await left
})

t.test('a reply that does not end is not waited for', async t => {
  const url = await serve(t, response => response.write('['))
  await t.rejects(boundedFetch({ ...LIMITS, timeoutMs: 50 })(url), {
    exitCode: 1,
    message: /did not give its whole reply within 0\.05 s\. .*HF_ENDPOINT/,
  })
})

t.test('so many requests and no more', async t => {
  const url = await serve(t, response => response.end())
  const ask = boundedFetch(LIMITS)
  for (let i = 0; i < 3; i++) await ask(url)
  await t.rejects(ask(url), { exitCode: 1, message: /in more than 3 pages/ })
})

t.test('a redirect that leads to itself ends', async t => {
  const url = await serve(t, response => response.writeHead(302, { location: '/' }).end())
  await t.rejects(boundedFetch(LIMITS)(url), { cause: /redirect count exceeded/ })
})
