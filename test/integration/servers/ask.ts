/** The real service in front of the servers: the bundled cropper finds the box, and each server is a target. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ROOT } from '../../support/deploy-files.js'
import type { Envelope } from '../../support/fakes/app.js'
import { startReal } from '../../support/real.js'
import { ANSWER, type ModelServer } from '../../support/servers.js'

const IMAGE = readFileSync(join(ROOT, 'docs/example.png')).toString('base64')
/** A busy machine may take that long for an answer. */
const PATIENCE = { REQUEST_TIMEOUT_MS: '240000', TARGET_TIMEOUT_MS: '200000' }

interface Answer {
  decision: string
  reason: string | null
  answer: string
  finish_reason: string | null
  compare?: { answer: string; agrees: boolean; finish_reason: string | null }
  target: { name: string; model: string; usage: { prompt_tokens: number; completion_tokens: number } | null }
}

export type Ask = (
  target: string,
  options?: Record<string, unknown>,
) => Promise<{ status: number; body: Answer & Envelope }>

/**
 * Starts the service with these targets, by name.
 * @returns what asks one of them about the README's page
 */
export async function askThrough(
  t: Test,
  targets: Record<string, ModelServer>,
  env: Record<string, string> = {},
): Promise<Ask> {
  const entries = Object.entries(targets).map(([name, { baseUrl: base_url, model, apiKey }]) => ({
    name,
    base_url,
    model,
    ...(apiKey === null ? {} : { api_key: apiKey }),
  }))
  const { url } = await startReal(t, {
    CROPPER_MODEL: join(ROOT, 'models/cropvlm-mini'),
    TARGETS: JSON.stringify(entries),
    ...PATIENCE,
    ...env,
  })
  return async (target, options) => {
    const body = JSON.stringify({ image: IMAGE, question: 'What is the total?', target, ...options })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/answer`, { method: 'POST', headers, body })
    return { status: response.status, body: (await response.json()) as Answer & Envelope }
  }
}

/** @param pictureTokens What one picture more costs. */
export async function answersFromBoth(
  t: Test,
  ask: Ask,
  { name, model, pictureTokens }: { name: string; model: string; pictureTokens: number },
): Promise<void> {
  await t.test('answers from the page and the crop, and says what they cost', async t => {
    const { status, body } = await ask(name, { compare: true })
    t.equal(status, 200)
    t.match(body, {
      decision: 'zoomed',
      answer: ANSWER,
      finish_reason: 'stop',
      compare: { answer: ANSWER, agrees: true, finish_reason: 'stop' },
      target: { name, model, usage: { completion_tokens: 9 } },
    })
    const full = await ask(name, { mode: 'full' })
    t.equal(body.target.usage?.prompt_tokens, (full.body.target.usage?.prompt_tokens ?? 0) + pictureTokens)
  })
}
