/** A service whose target is an endpoint that a row has in hand. */
import assert from 'node:assert/strict'
import { type Reply as Answer, type Received, upstream } from '../../support/fakes/upstream.js'
import type { Reply } from './client.js'
import type { Refusal } from './expect.js'
import { isBox } from './expect.js'
import { page } from './pictures/page.js'
import type { Service } from './service.js'
import type { World } from './world.js'

export const SECRET = 'sk-matrix-5d41402abc4b2a76'

export interface TargetWorld {
  service: Service
  /** The calls of the target so far. */
  calls: readonly Received[]
  /** How the target answers from now on. */
  answers: (answer: Answer) => void
  /** Asks for an answer. */
  ask: () => Promise<Reply>
  /** That an answer is refused for its target's fault, with the box, and with the key nowhere. @returns what was seen */
  failed: (reply: Reply, wanted: Refusal, limitMs: number) => string
}

/** @param key What the service asks its callers for, where `env` sets one. */
export async function targetWorld(
  world: World,
  env: Readonly<Record<string, string>> = {},
  key: string | null = null,
): Promise<TargetWorld> {
  let answer: Answer = () => {}
  const { baseUrl, received } = await upstream(world, (...call) => answer(...call))
  const target = { TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'a-vlm', TARGET_API_KEY: SECRET, CROPPER: 'text' }
  const service = await world.start({ ...target, LOG_LEVEL: 'trace', TARGET_BREAKER_FAILURES: '0', ...env }, { key })
  return {
    service,
    calls: received,
    answers: next => {
      answer = next
    },
    ask: async () => await service.crop(await page(), {}, { path: '/answer' }),
    failed(reply, wanted, limitMs) {
      const seen = world.refused(reply, wanted, limitMs)
      assert.equal(reply.body.error?.source, 'target')
      assert.ok(isBox(reply.body.error?.details?.crop?.bbox), 'the box is not in the reply')
      assert.ok(!reply.text.includes(SECRET), 'the key is in the reply')
      assert.ok(!service.log.includes(SECRET), 'the key is in the log')
      return seen
    },
  }
}
