/** Clients that ask with `Expect: 100-continue` whether they may send a body. */
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { CropVlmError } from '../../src/errors.js'
import { form, IMAGE, listen } from '../support/fakes/app.js'
import { parse, readAll } from './raw.js'

/** Sends headers that ask for leave to send the body; gives what comes back first. */
async function expectContinue(port: number, method: string, path: string, headers: string[]) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write([`${method} ${path} HTTP/1.1`, 'host: x', 'expect: 100-continue', ...headers, '', ''].join('\r\n'))
  const [first] = await once(socket, 'data')
  return { socket, first: String(first) }
}

t.test('Expect: 100-continue is answered by what the headers say, before any body', async t => {
  const { port, engine } = await listen(t, {}, { API_KEY: 'sesame', MAX_BODY_BYTES: '100000' })
  const key = 'authorization: Bearer sesame'
  const json = 'content-type: application/json'
  const rows: [method: string, path: string, headers: string[], status: number][] = [
    ['POST', '/crop', [key, json, 'content-length: 99999999'], 413],
    ['POST', '/answer', [key, 'content-type: multipart/form-data; boundary=b', 'content-length: 100001'], 413],
    ['POST', '/crop', [json, 'content-length: 100'], 401],
    ['POST', '/crops', [key, json, 'content-length: 100'], 404],
    ['PUT', '/crop', [key, json, 'content-length: 100'], 405],
    ['POST', '/crop', [key, json, 'content-length: 100', 'content-encoding: gzip'], 415],
  ]
  for (const [method, path, headers, status] of rows) {
    const { socket, first } = await expectContinue(port, method, path, headers)
    const text = first + (await readAll(socket))
    t.equal(parse(text).status, status, `${method} ${path}`)
    t.notMatch(text, /100 Continue/)
    t.match(text, /\r\nconnection: close\r\n/i)
  }
  t.equal(engine.jobs.length, 0)
})

t.test('with Expect: 100-continue a body that is welcome is asked for, once, and answered', async t => {
  const { port } = await listen(t)
  const { payload, headers } = await form({ image: IMAGE, question: 'q' })
  const json = JSON.stringify({ image: IMAGE.toString('base64'), question: 'q' })
  for (const [type, body] of [
    [headers['content-type'], payload],
    ['application/json', json],
  ] as const) {
    const length = `content-length: ${Buffer.byteLength(body)}`
    const { socket, first } = await expectContinue(port, 'POST', '/crop', [`content-type: ${type}`, length])
    t.equal(first, 'HTTP/1.1 100 Continue\r\n\r\n')
    socket.write(body)
    const [reply] = await once(socket, 'data')
    t.equal(parse(String(reply)).status, 200)
    // the connection can be used again
    socket.write('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    t.match(await readAll(socket), /^HTTP\/1\.1 200 /)
  }
})

t.test('what the engine has no room for is not asked for', async t => {
  const { port } = await listen(t, {
    checkRoom() {
      throw new CropVlmError('queue_full', 'The queue is full.', { retryAfter: 2 })
    },
  })
  const { socket, first } = await expectContinue(port, 'POST', '/crop', [
    'content-type: application/json',
    'content-length: 100',
  ])
  t.equal(parse(first + (await readAll(socket))).status, 429)
})
