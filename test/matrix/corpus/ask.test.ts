import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Reply, ReplyBody } from '../world/client.js'
import { askAll } from './ask.js'
import { distinctFiles } from './files.js'

const error = (code: string) => ({ error: { code, message: 'm', type: 't', source: 'gateway' }, request_id: 'id-1' })

function reply(status: number, body: ReplyBody, more: Partial<Reply> = {}): Reply {
  return { status, body, text: JSON.stringify(body), ms: 10, header: () => body.request_id ?? null, ...more }
}

const REPLIES: Readonly<Record<string, Reply>> = {
  page: reply(200, { bbox: [1, 2, 30, 40], decision: 'zoomed' }),
  cut: reply(422, error('image_undecodable')),
  crash: reply(503, error('engine_unavailable')),
  'no box': reply(200, { bbox: [30, 2, 1, 40], decision: 'zoomed' }),
  'no envelope': reply(400, {}, { text: 'Bad Request' }),
  late: reply(415, error('unsupported_image_format'), { ms: 5001 }),
  gone: reply(0, {}, { text: 'ECONNRESET' }),
}

t.test('every file is sent once, and what is no box and no refusal is a fault', async t => {
  const dir = t.testdir({ a: { ...asFiles(), again: 'page' }, b: { deep: { 'the same': 'cut' } } })
  symlinkSync(join(dir, 'a/page'), join(dir, 'b/link'))
  const sent: string[] = []
  const client = {
    crop: async (bytes: Uint8Array) => {
      const name = Buffer.from(bytes).toString()
      sent.push(name)
      return REPLIES[name] as Reply
    },
  }
  const found = await askAll(client, distinctFiles([join(dir, 'a'), join(dir, 'b')]), { atOnce: 3, limitMs: 5000 })
  t.same(sent.sort(), Object.keys(REPLIES).sort())
  t.equal(found.files, 7)
  t.same(Object.fromEntries(found.counts), {
    '200': 2,
    '422 image_undecodable': 1,
    '503 engine_unavailable': 1,
    '400 Bad Request': 1,
    '415 unsupported_image_format': 1,
    '0 ECONNRESET': 1,
  })
  t.same(found.slowest, { path: join(dir, 'a/late'), ms: 5001 })
  const faulty = found.faults.map(fault => fault.slice(dir.length + 3, fault.indexOf(':'))).sort()
  t.same(faulty, ['crash', 'gone', 'late', 'no box', 'no envelope'])
})

t.test('a folder that is not there', async t => {
  await t.rejects(distinctFiles([join(t.testdir({}), 'none')]).next(), { code: 'ENOENT' })
})

function asFiles(): Record<string, string> {
  return Object.fromEntries(Object.keys(REPLIES).map(name => [name, name]))
}
