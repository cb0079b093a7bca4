import sharp from 'sharp'
import t from 'tap'
import { seeded } from '../../../bench/random.js'
import { Disturbances } from '../../../bench/soak/disturbances.js'
import { chosen, KINDS, Load } from '../../../bench/soak/load.js'
import { LAST } from '../../../bench/soak/requests/good.js'
import type { Kind } from '../../../bench/soak/requests/kind.js'
import { makePictures } from '../../../bench/soak/requests/pictures.js'
import { closeConnections } from '../../../bench/soak/requests/send.js'
import { type Recorded, recorder } from '../../support/fakes/recorder.js'

t.test('kinds are chosen by their weights', async t => {
  const kind = (name: string, weight: number): Kind => ({
    name,
    weight,
    expect: { statuses: [200] },
    prepare: () => ({ path: '/' }),
  })
  const random = seeded(3)
  const names = Array.from({ length: 4000 }, () => chosen([kind('a', 1), kind('b', 3)], random).name)
  const share = names.filter(name => name === 'b').length / names.length
  t.ok(Math.abs(share - 0.75) < 0.03, `${share}`)
})

t.test('every kind has a name of its own', async t => {
  const names = KINDS.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
})

t.test('in a pause the same picture is asked about each time, as another file', async t => {
  const server = await recorder(t, response => response.end('{"bbox":[1,2,3,4]}'))
  t.teardown(closeConnections)
  const pictures = await makePictures(seeded(1))
  const load = new Load(
    { url: new URL(server.baseUrl).origin, pictures, random: seeded(2), heard() {} },
    new Disturbances(),
  )
  const resume = await load.pause()
  await load.ask(LAST)
  await load.ask(LAST)
  resume()
  t.same(load.faults, [])
  const [first, second] = (await Promise.all(server.requests.map(imageOf))) as [Buffer, Buffer]
  t.notSame(first, second)
  t.same(await sharp(first).raw().toBuffer(), await sharp(second).raw().toBuffer())
  await t.rejects(load.ask('a walk'), { message: 'no kind of request is called a walk' })
})

async function imageOf({ headers, body }: Recorded): Promise<Buffer> {
  const form = await new Response(body, { headers: { 'content-type': String(headers['content-type']) } }).formData()
  return Buffer.from(await (form.get('image') as Blob).arrayBuffer())
}
