/** `npm run client`: writes the types of the client from the OpenAPI document of the service that `dist/` holds. */
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'
import { pino } from 'pino'
import { createService } from '../dist/service.js'

const FILE = new URL('../src/client/api.ts', import.meta.url)
const HEAD = '// Written by `npm run client` from /openapi.json. Do not edit.\n'

const service = await createService({ env: {}, log: pino({ level: 'silent' }) })
const response = await service.fetch('/openapi.json')
const text = HEAD + astToString(await openapiTS(await response.text()))
await service.close()
if (process.argv.includes('--check') && readFileSync(FILE, 'utf8') !== text) {
  console.error('src/client/api.ts is not what /openapi.json says: run `npm run client`.')
  process.exitCode = 1
} else writeFileSync(FILE, text)
