/** Rows 60 to 64: a target that refuses, is busy, breaks, floods, or is down. */
import assert from 'node:assert/strict'
import { type Reply as Answer, json } from '../../support/fakes/upstream.js'
import type { Row } from '../row.js'
import { frugal } from '../world/frugal.js'
import { many } from '../world/many.js'
import { page } from '../world/pictures/page.js'
import { memoryMb } from '../world/proc.js'
import { SECRET, targetWorld } from '../world/target.js'
import { each, type World } from '../world/world.js'

const TIMEOUT = { TARGET_TIMEOUT_MS: '1500', TARGET_FIRST_TIMEOUT_MS: '1500' }

export const TARGET: readonly Row[] = [
  {
    number: 60,
    fault: 'target 401/403',
    behaviour: '502 `target_failed` with the box, one call, the key neither in the reply nor in the log',
    run: refused,
  },
  {
    number: 61,
    fault: 'target 429 with Retry-After 86400',
    behaviour: '502 `target_failed` at once; `details.retry_after` says what the target said',
    run: busy,
  },
  {
    number: 62,
    fault: 'target 5xx, reset, stall',
    behaviour: '502 `target_failed`, 504 `target_timeout`, with the box; at most one more call',
    run: breaks,
  },
  {
    number: 63,
    fault: 'target huge or invalid JSON',
    behaviour: '502 `target_failed`, at most 4 MiB are read',
    run: nonsense,
  },
  {
    number: 64,
    fault: 'target down for minutes',
    behaviour: 'after 3 failures in a row it is not asked: 502 `target_failed` at once; `/crop` goes on',
    run: down,
  },
]

async function refused(world: World): Promise<string> {
  const { answers, ask, failed, calls } = await targetWorld(world)
  return await each({ 401: 401, 403: 403 }, async status => {
    const before = calls.length
    answers(json(status, { error: { message: `The key ${SECRET} is not known.`, code: 'invalid_api_key' } }))
    const seen = failed(await ask(), '502 target_failed', 5000)
    assert.equal(calls.length, before + 1, 'calls of the target')
    return `${seen}, one call`
  })
}

async function busy(world: World): Promise<string> {
  const { answers, ask, failed, calls } = await targetWorld(world, { REQUEST_TIMEOUT_MS: '5000' })
  answers(json(429, { error: { message: 'slow down' } }, { 'retry-after': '86400' }))
  const reply = await ask()
  const seen = failed(reply, '502 target_failed', 5000)
  assert.equal(reply.body.error?.details?.retry_after, 86_400)
  assert.equal(calls.length, 1, 'calls of the target')
  return `${seen}, one call`
}

const BREAKS: Readonly<Record<string, [answer: Answer, status: 502 | 504]>> = {
  500: [json(500, { error: { message: 'out of memory' } }), 502],
  503: [response => void response.writeHead(503).end('busy'), 502],
  reset: [(_response, _received, socket) => void socket.resetAndDestroy(), 502],
  'a reset within the reply': [
    (response, _received, socket) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 900 })
      response.write('{"choices": [', () => socket.resetAndDestroy())
    },
    502,
  ],
  'an end within the reply': [
    response => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"choices": [', () => response.destroy())
    },
    502,
  ],
  stall: [() => {}, 504],
  'a stall within the reply': [
    response => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{')
    },
    504,
  ],
  'space for ever': [
    response => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(timer))
    },
    504,
  ],
}

async function breaks(world: World): Promise<string> {
  const { answers, ask, failed, calls } = await targetWorld(world, TIMEOUT)
  return await each(BREAKS, async ([answer, status]) => {
    const before = calls.length
    answers(answer)
    const seen = failed(await ask(), status === 502 ? '502 target_failed' : '504 target_timeout', 4000)
    assert.ok(calls.length - before <= 2, `${calls.length - before} calls of the target`)
    return seen
  })
}

async function nonsense(world: World): Promise<string> {
  const { answers, ask, failed, service } = await targetWorld(world)
  const texts = {
    HTML: '<html><body>Bad gateway</body></html>',
    nothing: '',
    'a number': '7',
    null: 'null',
    'no choice': '{"choices": []}',
    'a content that is an object': '{"choices": [{"message": {"content": {"text": "482"}}}]}',
    'a cut reply': '{"choices": [{"message": {"content": "48',
    'deep nesting': `{"choices": ${'['.repeat(100_000)}`,
  }
  const odd = await each(texts, async text => {
    answers(response => void response.writeHead(200, { 'content-type': 'application/json' }).end(text))
    return failed(await ask(), '502 target_failed', 5000)
  })
  const sent = { bytes: 0 }
  answers(flood(sent))
  const before = memoryMb(service.pid)
  const seen = failed(await ask(), '502 target_failed', 5000)
  assert.ok(sent.bytes < 100e6, `${sent.bytes} bytes were taken`)
  return `${odd}; 400 MB: ${seen} after ${Math.round(sent.bytes / 1e6)} MB, ${frugal(service.pid, before)}`
}

/** A reply of 400 MB, written as fast as it is taken. */
function flood(sent: { bytes: number }): Answer {
  const piece = Buffer.alloc(1 << 20, 'a')
  return response => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"choices": [{"message": {"content": "')
    const more = () => {
      while (sent.bytes < 400e6 && !response.destroyed) {
        sent.bytes += piece.length
        if (!response.write(piece)) return
      }
      response.end('"}}]}')
    }
    response.on('drain', more)
    more()
  }
}

async function down(world: World): Promise<string> {
  const env = { ...TIMEOUT, TARGET_BREAKER_FAILURES: '3', TARGET_CONCURRENCY: '4', TARGET_BREAKER_MS: '60000' }
  const { answers, ask, failed, calls, service } = await targetWorld(world, env)
  answers(() => {})
  const replies = many(24, ask)
  const crops = await many(6, async () => await service.crop(await page()))
  for (const crop of crops) world.answered(crop)
  for (const reply of await replies)
    failed(reply, reply.status === 504 ? '504 target_timeout' : '502 target_failed', 20_000)
  const before = calls.length
  const reply = await ask()
  const seen = failed(reply, '502 target_failed', 1000)
  assert.equal(reply.body.error?.details?.breaker, 'open')
  assert.equal(calls.length, before, 'the target was asked all the same')
  world.answered(await service.crop(await page()))
  return `24 at once, ${before} calls of the target, then: ${seen}, no call; /crop answered`
}
