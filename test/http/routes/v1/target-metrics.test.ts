/** Calls of endpoints under /v1 are counted as those of /answer are. */
import t from 'tap'
import { proxied } from '../../../support/fakes/proxy.js'
import { CHAT_REPLY } from '../../../support/fakes/recorder.js'

const PATH = '/v1/chat/completions'

t.test('by outcome, with their duration and tokens', async t => {
  let status = 200
  const { post, url } = await proxied(t, { PROXY_FIRST_BYTE_TIMEOUT_MS: '200' }, {}, response => {
    if (status === 0) response.destroy()
    else if (status > 0) response.writeHead(status, { 'content-type': 'application/json' }).end(CHAT_REPLY)
  })
  // the last two: it hangs up, and says nothing
  for (status of [200, 429, 0, -1]) await (await post(PATH, { messages: [] })).arrayBuffer()
  await (await fetch(`${url}/v1/models`).catch(() => null))?.arrayBuffer()
  const metrics = await (await fetch(`${url}/metrics`)).text()
  for (const [outcome, count] of [
    ['ok', 1],
    ['failed', 2],
    ['timeout', 1],
  ])
    t.match(metrics, `cropvlm_target_requests_total{target="default",outcome="${outcome}"} ${count}`)
  t.match(metrics, 'cropvlm_target_duration_seconds_count{target="default"} 4')
  t.match(metrics, 'cropvlm_target_tokens_total{target="default",type="prompt"} 1400')
})
