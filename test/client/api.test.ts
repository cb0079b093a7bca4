import openapiTS, { astToString } from 'openapi-typescript'
import t from 'tap'
import { readText } from '../support/deploy-files.js'
import { listen } from '../support/fakes/app.js'

t.setTimeout(60_000)

t.test('the types are those of /openapi.json', async t => {
  const { url } = await listen(t)
  const types = astToString(await openapiTS(await (await fetch(`${url}/openapi.json`)).text()))
  const [head = '', ...rest] = readText('src/client/api.ts').split('\n')
  t.equal(head, '// Written by `npm run client` from /openapi.json. Do not edit.')
  t.ok(rest.join('\n') === types, 'src/client/api.ts is not what /openapi.json says: run `npm run client`.')
})
