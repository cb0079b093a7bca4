/** A TypeScript client from the document: typed by openapi-typescript, compiled by tsc, run with openapi-fetch. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'
import t from 'tap'
import { IMAGE, listen } from '../../support/fakes/app.js'

const root = resolve(import.meta.dirname, '../../..')
// inside the repository, where openapi-fetch is found
const folder = resolve(root, '.build/typescript-client')

const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023', 'dom'],
    module: 'nodenext',
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    outDir: 'out',
  },
  files: ['call.ts'],
}

interface Module {
  call: (baseUrl: string, image: string, file: Blob) => Promise<unknown>
}

t.test('typed calls of /crop and /answer compile, and work', async t => {
  const { app, url } = await listen(t)
  const document = (await app.inject({ url: '/openapi.json' })).body
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(resolve(folder, 'api.ts'), astToString(await openapiTS(document)))
  writeFileSync(resolve(folder, 'package.json'), '{"type": "module"}')
  writeFileSync(resolve(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  copyFileSync(resolve(root, 'test/fixtures/clients/call.ts.txt'), resolve(folder, 'call.ts'))
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  t.doesNotThrow(() => execFileSync(process.execPath, [tsc, '-p', folder], { stdio: ['ignore', 'inherit', 'inherit'] }))
  const { call } = (await import(pathToFileURL(resolve(folder, 'out/call.js')).href)) as Module
  const bbox = [12, 5, 80, 47]
  t.match(await call(url, IMAGE.toString('base64'), new Blob([new Uint8Array(IMAGE)])), {
    typed: true,
    typedBox: true,
    bbox,
    agrees: false,
    picture: 'image/jpeg',
    boxes: [bbox, bbox],
    form: 'crop',
    code: 'missing_field',
    pixels: 50_000_000,
    target: 'local',
  })
})
