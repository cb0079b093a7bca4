/** Row 65: what stays out of the log. */
import assert from 'node:assert/strict'
import { json } from '../../support/fakes/upstream.js'
import type { Row } from '../row.js'
import { page } from '../world/pictures/page.js'
import { SECRET, targetWorld } from '../world/target.js'
import { each, type World } from '../world/world.js'

const CALLER = 'caller-3b5d5c3712955042'
const QUESTION = 'Which Quetzalcoatlus is shown?'

export const SECRETS: readonly Row[] = [
  {
    number: 65,
    fault: 'key, image, question at any log level',
    behaviour: 'no key and no image at any level, questions at `trace` alone',
    run: secrets,
  },
]

/** Headers that may hold what is nobody's business. */
const HEADERS = {
  authorization: `Bearer ${CALLER}`,
  cookie: 'session=cookie-19b650660b253761',
  'x-api-key': 'other-af08f3fb0f4f5f0e',
  'proxy-authorization': 'Basic cHJveHktYWYwOGYz',
}

async function secrets(world: World): Promise<string> {
  const image = await page()
  const base64 = image.toString('base64')
  const parts = [SECRET, CALLER, 'cookie-19b6', 'other-af08', 'cHJveHkt', 'wrong-1f3870be', base64.slice(800, 840)]
  return await each({ trace: 'trace', debug: 'debug', info: 'info' }, async level => {
    const { service, answers } = await targetWorld(world, { API_KEY: CALLER, LOG_LEVEL: level }, CALLER)
    answers(json(400, { error: { message: `${QUESTION} with ${SECRET} of ${base64.slice(0, 2000)}` } }))
    const how = { question: QUESTION, headers: HEADERS }
    const asked = await service.crop(image, {}, { ...how, path: '/answer' })
    assert.equal(asked.status, 502, asked.text.slice(0, 200))
    world.answered(await service.crop(image, {}, how))
    world.answered(await service.json({ image: base64, question: QUESTION }, { headers: HEADERS }))
    world.refused(await service.crop(image.subarray(0, image.length >> 1), {}, how), '422 image_undecodable')
    world.refused(
      await service.json(`{"question": "${QUESTION}", "image": "${base64}`, { headers: HEADERS }),
      '400 invalid_body',
    )
    world.refused(
      await service.crop(image, {}, { question: QUESTION, headers: { authorization: 'Bearer wrong-1f3870be' } }),
      '401 invalid_api_key',
    )
    world.refused(
      await service.post('x', { path: `/none?question=${encodeURIComponent(QUESTION)}`, headers: HEADERS }),
      '404 not_found',
    )
    const chat = await service.json(chatAbout(base64), { path: '/v1/chat/completions', headers: HEADERS })
    for (const part of parts) assert.ok(!service.log.includes(part), `${part.slice(0, 12)}... is in the log`)
    assert.ok(!asked.text.includes(SECRET) && !chat.text.includes(CALLER), 'a key is in a reply')
    const isShown = /quetzalcoatlus/i.test(service.log)
    assert.ok(!isShown || level === 'trace', 'the question is in the log')
    await service.stop()
    return isShown ? 'the question alone' : 'nothing'
  })
}

function chatAbout(base64: string) {
  const image = { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${base64}` } }
  return { model: 'a-vlm', messages: [{ role: 'user', content: [{ type: 'text', text: QUESTION }, image] }] }
}
