/** Rows 66 and 67: what has to stay as it is. */
import assert from 'node:assert/strict'
import { png } from '../../support/images/pictures.js'
import type { Row } from '../row.js'
import { many } from '../world/many.js'
import { page, pageOf } from '../world/pictures/page.js'
import { descriptors, engineProcesses, memoryMb } from '../world/proc.js'
import type { Service } from '../world/service.js'
import type { World } from '../world/world.js'

export const STEADY: readonly Row[] = [
  {
    number: 66,
    fault: '24 h soak with mixed bad input',
    behaviour: 'memory and descriptors stay flat: here for a minute, by `npm run soak` for hours',
    run: soak,
  },
  {
    number: 67,
    fault: 'same input x1000, varied batching',
    behaviour: 'the same box each time, whatever else is in its batch',
    run: sameBox,
  },
]

const LANES = 3
const ROUND_MS = 20_000
/** What may be added after the second round: by then the caches are full, and the heap of the HTTP process swings by tens of MiB. */
const MAX_MB = { http: 80, engine: 100 }

async function soak(world: World): Promise<string> {
  const service = await world.start({ PREFIX_CACHE_BYTES: '33554432' })
  const jpeg = await page()
  const bad = [
    Buffer.from('no picture'),
    jpeg.subarray(0, jpeg.length >> 1),
    png(20_000, 20_000),
    Buffer.alloc(0),
    Buffer.alloc(9999),
  ]
  const good = await many(40, i =>
    pageOf(220 + 4 * i, 180)
      .jpeg()
      .toBuffer(),
  )
  const marks: ReturnType<typeof mark>[] = []
  let sent = 0
  for (let round = 0; round < 4; round++) {
    const end = performance.now() + ROUND_MS
    await many(LANES, async () => {
      while (performance.now() < end) {
        const i = sent++
        const isGood = i % 2 === 0
        const reply = await service.crop(
          (isGood ? good : bad)[i % (isGood ? good : bad).length] ?? jpeg,
          {},
          { question: `What is ${i}?` },
        )
        if (isGood) world.answered(reply, 10_000)
        else assert.ok(reply.status >= 400 && reply.status < 500, reply.text.slice(0, 200))
      }
    })
    marks.push(mark(service))
  }
  const shown = marks
    .map(({ http, engine, open }) => `http ${http} MiB, engine ${engine} MiB, ${open} descriptors`)
    .join(' -> ')
  const [, first, , last] = marks
  if (!first || !last) throw new Error('four rounds were run')
  assert.ok(last.http - first.http < MAX_MB.http && last.engine - first.engine < MAX_MB.engine, shown)
  assert.ok(last.open - first.open <= 3, shown)
  return `${sent} requests in ${(4 * ROUND_MS) / 1000} s; ${shown}; for longer: npm run soak`
}

function mark(service: Service) {
  const engines = engineProcesses(service.pid)
  return {
    http: Math.round(memoryMb(service.pid)),
    engine: Math.round(engines.reduce((sum, pid) => sum + memoryMb(pid), 0)),
    open: [service.pid, ...engines].reduce((sum, pid) => sum + descriptors(pid), 0),
  }
}

/** Settings under which jobs meet in other batches, or in other processes. */
const SETTINGS: readonly Readonly<Record<string, string>>[] = [
  {},
  { BATCH_SIZE: '8', BATCH_DELAY_MS: '5' },
  { ENGINE_PROCESSES: '2', BATCH_SIZE: '4' },
  { PREFIX_CACHE_BYTES: '0', BATCH_SIZE: '3' },
]
const EACH = 250

async function sameBox(world: World): Promise<string> {
  const image = await page()
  const others = await many(12, i =>
    pageOf(200 + 40 * i, 300)
      .jpeg()
      .toBuffer(),
  )
  const boxes = new Map<string, number>()
  for (const settings of SETTINGS) {
    const service = await world.start({ CROPPER_MODEL: 'models/cropvlm-mini', ...settings })
    let sent = 0
    await many(12, async lane => {
      while (sent < EACH) {
        const i = sent++
        if (i % 5 === 0)
          world.answered(await service.crop(others[lane] ?? image, {}, { question: `What is ${i % 7}?` }), 20_000)
        const reply = await service.crop(image)
        world.answered(reply, 20_000)
        const box = String(reply.body.bbox)
        boxes.set(box, (boxes.get(box) ?? 0) + 1)
      }
    })
    await service.stop()
  }
  const shown = [...boxes].map(([box, count]) => `[${box}] ${count} times`).join(', ')
  assert.equal(boxes.size, 1, shown)
  return `${shown}, under ${SETTINGS.length} settings`
}
