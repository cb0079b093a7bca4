/** Rows 5, 6 and 8: bodies that are too large or too slow. */
import assert from 'node:assert/strict'
import type { Row } from '../../row.js'
import { QUESTION } from '../../world/client.js'
import { frugal } from '../../world/frugal.js'
import { memoryMb } from '../../world/proc.js'
import { chunk, head, type Raw, write } from '../../world/socket.js'
import { each, type World } from '../../world/world.js'

const MIB = 1 << 20

export const SIZE: readonly Row[] = [
  {
    number: 5,
    fault: 'body over the limit',
    behaviour: '413 `body_too_large` by its `content-length`, before it is read',
    isShort: true,
    run: tooLarge,
  },
  {
    number: 6,
    fault: 'chunked body over the limit',
    behaviour: '413 `body_too_large` where the limit is passed, the rest is not kept',
    isShort: true,
    run: endless,
  },
  {
    number: 8,
    fault: 'slow-trickle body',
    behaviour: 'body: 504 `deadline_exceeded` at `REQUEST_TIMEOUT_MS`; headers: 408; then the connection is closed',
    run: trickle,
  },
]

/** Early: the headers say how long it is, and one small piece of it is all that is sent. */
async function tooLarge(world: World): Promise<string> {
  const service = await world.shared()
  const before = memoryMb(service.pid)
  const types = { JSON: 'application/json', 'a form': 'multipart/form-data; boundary=b' }
  const early = await each(types, async type => {
    const headers = head(`content-type: ${type}`, 'content-length: 400000000')
    const raw = await write(service.url, [headers, Buffer.alloc(30_000, 97)], { leavesOnReply: true })
    return overLimit(world, raw, 500)
  })
  const whole = await service.json({ image: 'A'.repeat(24 * MIB), question: QUESTION })
  const late = world.refused(whole, '413 body_too_large', 2000)
  return `${early}; 24 MiB sent: ${late}; ${frugal(service.pid, before)}`
}

async function endless(world: World): Promise<string> {
  const service = await world.shared()
  const before = memoryMb(service.pid)
  const part = '--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\n'
  const bodies = {
    JSON: ['application/json', '{"image": "'],
    'a form': ['multipart/form-data; boundary=b', part],
  } as const
  const piece = chunk(Buffer.alloc(MIB, 65))
  const seen = await each(bodies, async ([type, start]) => {
    const headers = head(`content-type: ${type}`, 'transfer-encoding: chunked')
    const raw = await write(service.url, [headers, chunk(start), ...Array<Buffer>(world.times(200, 40)).fill(piece)])
    return overLimit(world, raw, 3000)
  })
  return `${seen}; ${frugal(service.pid, before)}`
}

/** A reply that was read from the socket, as a refusal for its size. */
function overLimit(world: World, { status, text, firstMs }: Raw, limitMs: number): string {
  assert.equal(status, 413, `wanted 413, got ${status}: ${text.slice(0, 200)}`)
  assert.match(text, /"code":"body_too_large"/)
  assert.match(text, /"request_id":"[^"]+"/)
  world.within(limitMs, firstMs ?? Number.POSITIVE_INFINITY, 'the refusal')
  return `413 body_too_large in ${Math.round(firstMs ?? 0)} ms`
}

async function trickle(world: World): Promise<string> {
  const service = await world.start({ REQUEST_TIMEOUT_MS: '3000' })
  const body = Array.from({ length: 400 }, () => 'A')
  const headers = 'POST /crop HTTP/1.1\r\nhost: matrix\r\nx-slow: and slow, and slow, and slow, and slow, and slow'
  const cases: Record<string, [pieces: string[], statuses: number[]]> = {
    JSON: [[head('content-type: application/json', 'content-length: 5000'), '{"image": "', ...body], [504]],
    'a form': [[head('content-type: multipart/form-data; boundary=b', 'content-length: 5000'), ...body], [504]],
    headers: [[...headers], [408]],
    nothing: [[], [0, 408]],
  }
  return await each(cases, async ([pieces, statuses]) => {
    const raw = await write(service.url, pieces, { pauseMs: 100 })
    assert.ok(raw.isClosed, 'the connection is still open after 20 s')
    assert.ok(statuses.includes(raw.status), `wanted ${statuses.join(' or ')}, got ${raw.status}: ${raw.text}`)
    if (raw.status > 0) assert.match(raw.text, /"request_id":"[^"]+"/)
    world.within(8000, raw.ms, 'the end of the connection')
    return `${raw.status || 'closed'} in ${Math.round(raw.ms)} ms`
  })
}
