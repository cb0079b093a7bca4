import t from 'tap'
import { form, IMAGE, listen } from '../../support/fakes/app.js'
import { located } from '../../support/fakes/scripted-engine.js'
import { Wire } from '../../support/network/wire.js'

t.test('draining: requests in flight finish, new ones are refused, probes still answer', async t => {
  let finish: () => void = () => {}
  const gate = new Promise<void>(resolve => (finish = resolve))
  let started: () => void = () => {}
  const running = new Promise<void>(resolve => (started = resolve))
  const { app, url, engine } = await listen(t, {
    async locate(job) {
      started()
      await gate
      return located(job)
    },
  })
  const { payload, headers } = await form({ image: IMAGE, question: 'q' })
  const ask = () => fetch(`${url}/answer`, { method: 'POST', body: new Uint8Array(payload), headers })

  const first = ask()
  await running
  const idle = await Wire.open(url)
  let drained = false
  const drain = app.drain().then(() => (drained = true))
  // what had arrived before has been read by then
  await idle.closed

  const refused = await ask()
  t.equal(refused.status, 503)
  t.match(await refused.json(), { error: { code: 'draining', source: 'gateway' } })
  t.equal(refused.headers.get('connection'), 'close')
  t.match(refused.headers.get('retry-after'), /^\d+$/)
  t.equal((await fetch(`${url}/health/live`)).status, 200)
  t.equal((await fetch(`${url}/health/ready`)).status, 503)
  t.equal((await fetch(`${url}/metrics`)).status, 200)
  t.notOk(drained)

  finish()
  t.equal((await first).status, 200, "all of the request's jobs were done")
  await drain
  t.equal(engine.jobs.length, 3)
})

t.test('with nothing in flight it is done at once, and may be asked for twice', async t => {
  const { app } = await listen(t)
  await Promise.all([app.drain(), app.drain()])
  await app.drain()
  await app.close()
})
