/** The document by the linters that the trade uses, each with the rules that it recommends. */
import { createConfig, lintFromString } from '@redocly/openapi-core'
import core, { type RulesetDefinition } from '@stoplight/spectral-core'
import rulesets from '@stoplight/spectral-rulesets'
import t from 'tap'
import { makeApp } from '../../support/fakes/app.js'

for (const [name, env] of Object.entries({ 'without a key': {}, 'with a key': { API_KEY: 'sesame' } }))
  t.test(`neither Redocly nor Spectral has anything to say, ${name}`, async t => {
    const { app } = await makeApp(t, {}, env)
    const { body: source } = await app.inject({ url: '/openapi.json' })
    const redocly = await lintFromString({ source, config: await createConfig({ extends: ['recommended'] }) })
    t.strictSame(
      redocly.map(({ ruleId, severity, message }) => ({ ruleId, severity, message })),
      [],
    )
    const spectral = new core.Spectral()
    spectral.setRuleset({ extends: [[rulesets.oas as RulesetDefinition, 'recommended']] })
    t.strictSame(await spectral.run(source), [])
  })
