/** The tool in a process of its own, over the protocol, with the bundled text reader and its real engine. */
import { copyFileSync, mkdtempSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Progress } from '@modelcontextprotocol/sdk/types.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { pino } from 'pino'
import sharp from 'sharp'
import t from 'tap'
import { resample } from '../../src/image/pillow.js'
import { CropVlmClient, createService } from '../../src/index.js'
import { ROOT } from '../support/deploy-files.js'
import { difference } from '../support/images/difference.js'
import { startSession } from './session.js'

t.setTimeout(240_000)

const DOCS = join(ROOT, 'docs')
const question = 'What is the total?'

async function pixels(file: Uint8Array) {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  return { data: new Uint8Array(data), width: info.width, height: info.height }
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cropvlm-mcp-test-')))
/** 400x300 upright, stored lying on its side: red on the left half, blue on the right. */
const turned = join(folder, 'turned.jpg')
writeFileSync(
  turned,
  await sharp({ create: { width: 400, height: 300, channels: 3, background: 'blue' } })
    .composite([{ input: { create: { width: 200, height: 300, channels: 3, background: 'red' } }, left: 0, top: 0 }])
    .png()
    .toBuffer()
    .then(upright => sharp(upright).rotate(270).jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toBuffer()),
)

copyFileSync(join(DOCS, 'example.png'), join(folder, 'example.png'))
// of the folder that is open in the host, and not to be read
writeFileSync(join(folder, '.env'), 'CROPPER=onnx\nMAX_PIXELS=1\n')

t.test('a session', async t => {
  const session = await startSession(t, { args: ['--root', '.'], cwd: folder })
  const { client, zoom } = session

  await t.test('says what it is, and lists one tool with schemas of JSON Schema 2020-12', async t => {
    t.match(client.getServerVersion(), { name: 'cropvlm', title: 'CropVLM' })
    t.match(client.getInstructions(), /zoom_image/)
    const { tools } = await client.listTools()
    t.equal(tools.length, 1)
    const [tool] = tools
    t.match(tool, { name: 'zoom_image', description: /thousandths/, annotations: { readOnlyHint: true } })
    const ajv = new Ajv2020({ strict: true })
    t.type(ajv.compile(tool?.outputSchema ?? {}), 'function')
    const check = ajv.compile(tool?.inputSchema ?? {})
    t.ok(check({ image: 'a.png', question }))
    t.ok(check({ image: 'a.png', bbox_2d: [0, 0, 1000, 500], label: 'x', expand: 2 }))
    for (const wrong of [{ question }, { image: 'a.png', bbox_2d: [0, 0, 1] }, { image: 'a.png', box: [1, 2, 3, 4] }])
      t.notOk(check(wrong))
    // what model APIs refuse
    t.notMatch(JSON.stringify(tool?.inputSchema), /anyOf|oneOf|allOf|prefixItems|\$ref|"null"/)
  })

  await t.test('a box that is given needs no model, and is of the upright picture', async t => {
    const left = await zoom({ image: turned, bbox_2d: [0, 0, 500, 1000], label: 'the red half' })
    t.match(left, {
      isError: false,
      mediaType: 'image/jpeg',
      structured: {
        bbox_2d: [0, 0, 500, 1000],
        bbox_pixels: [0, 0, 200, 300],
        image: { width: 400, height: 300 },
        decision: 'given',
        reason: null,
        confidence: null,
        label: 'the red half',
      },
    })
    const { channels } = await sharp(left.picture ?? '').stats()
    t.match(
      channels.map(({ mean }) => mean > 240 || mean < 15),
      [true, true, true],
    )
    t.ok((channels[0]?.mean ?? 0) > 240, 'red')
    const right = await zoom({ image: pathToFileURL(turned).href, bbox_2d: [600, 250, 900, 750] })
    t.same(right.structured?.bbox_pixels, [240, 75, 360, 225])
    t.ok(((await sharp(right.picture ?? '').stats()).channels[2]?.mean ?? 0) > 240, 'blue')
    const grown = await zoom({ image: turned, bbox_2d: [400, 400, 600, 600], expand: 4 })
    t.same(grown.structured?.bbox_2d, [300, 300, 700, 700])
    t.notMatch(session.log(), /pp-ocr/)
  })

  await t.test('a question: the crop holds the pixels of that of /crop', async t => {
    const told: string[] = []
    const onprogress = ({ message }: Progress) => told.push(message ?? '')
    const found = await zoom({ image: 'example.png', question }, { onprogress, resetTimeoutOnProgress: true })
    const service = await createService({
      env: { GRAPH_CACHE_DIR: 'off', EXECUTION_PROVIDER: 'cpu' },
      log: pino({ level: 'silent' }),
    })
    t.teardown(() => service.close())
    await service.ready
    const image = readFileSync(join(DOCS, 'example.png'))
    const reply = await new CropVlmClient({ fetch: service.fetch }).crop({
      image,
      question,
      return: 'crop',
      format: 'png',
    })
    t.match(found.structured, {
      bbox_2d: reply.bbox.map(percent => 10 * percent),
      bbox_pixels: reply.bbox_pixels,
      image: reply.image,
      decision: 'zoomed',
      reason: null,
      confidence: reply.confidence,
      found_by: reply.model.id,
      media_type: 'image/png',
    })
    const crop = await pixels(Buffer.from(reply.crop?.data ?? '', 'base64'))
    const shown = await pixels(found.picture ?? Buffer.of())
    t.equal(shown.width, 4 * crop.width, 'enlarged')
    t.match(difference(shown, resample(crop, shown)), { mean: 0, far: 0 })
    t.match(found.text, /^Decision: zoomed\. .*bbox_2d \[.*confidence: 0\.9/is)
    t.ok(told.some(message => /loading its models/.test(message)))
    t.ok(told.some(message => /Looking for/.test(message)))
  })

  await t.test('the text and the file say all that the picture does, for hosts that drop it', async t => {
    const { text, picture, structured } = await zoom({ image: 'example.png', bbox_2d: [100, 100, 300, 200] })
    const file = structured?.file ?? ''
    t.same(readFileSync(file), picture)
    t.ok(text.includes(file))
    t.match(text, /735x561 pixels/)
    t.match(text, new RegExp(`${structured?.crop.width}x${structured?.crop.height}`))
    t.equal(structured?.advice, text)
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.equal(statSync(dirname(file)).mode & 0o777, 0o700)
    t.match(file, /zoom-[0-9a-f-]{36}\.png$/)
    const again = await zoom({ image: file, bbox_2d: [0, 0, 500, 500] })
    t.match(again, { isError: false, structured: { decision: 'given' } }, 'a crop can be looked at once more')
  })

  await t.test('where nothing is found, it says so and shows the whole picture', async t => {
    const { isError, text, structured, picture } = await zoom({ image: turned, question })
    t.match(structured, { decision: 'fallback', reason: 'no_text', bbox_2d: [0, 0, 1000, 1000] })
    t.equal(isError, false)
    t.match(text, /No part was found.*no text.*bbox_2d/s)
    t.match(await sharp(picture ?? '').metadata(), { width: 400, height: 300 })
  })

  await t.test('a data URL', async t => {
    const url = `data:image/png;base64,${readFileSync(join(DOCS, 'example.png'), 'base64')}`
    t.match(await zoom({ image: url, bbox_2d: [0, 0, 1000, 1000] }), {
      isError: false,
      structured: { image: { width: 735, height: 561 } },
    })
  })

  await t.test('several calls at once', async t => {
    const boxes = Array.from({ length: 8 }, (_, i) => [100 * i, 0, 100 * i + 100, 500])
    const asked = Promise.all(['What is the date?', question].map(one => zoom({ image: 'example.png', question: one })))
    const given = await Promise.all(boxes.map(bbox_2d => zoom({ image: turned, bbox_2d })))
    t.same(
      given.map(({ structured }) => structured?.bbox_2d),
      boxes,
    )
    t.equal(new Set(given.map(({ structured }) => structured?.file)).size, 8)
    t.match(
      (await asked).map(({ structured }) => structured?.decision),
      ['zoomed', 'zoomed'],
    )
  })

  await t.test('what is wrong is told as an error of the tool, and the server goes on', async t => {
    writeFileSync(join(folder, 'not.png'), 'no picture')
    writeFileSync(join(folder, 'cut.png'), readFileSync(join(DOCS, 'example.png')).subarray(0, 5000))
    const bbox_2d = [0, 0, 500, 500]
    const rows: [input: Record<string, unknown>, says: RegExp][] = [
      [{ image: 'missing.png', bbox_2d }, /no file missing\.png/],
      [{ image: '/etc/hostname', bbox_2d }, /not within the folders .*--root/],
      [{ image: join(folder, 'not.png'), bbox_2d }, /not JPEG, PNG or WebP/],
      [{ image: join(folder, 'cut.png'), bbox_2d }, /cannot be decoded/],
      [{ image: 'example.png', bbox_2d: [500, 0, 100, 100] }, /x1 less than x2/],
      [{ image: 'example.png', bbox_2d: [0, 0, 1600, 1200] }, /0 to 1000.*not pixels/],
      [{ image: 'example.png' }, /Give question .* or bbox_2d/],
      [{ image: 'https://example.com/a.png', question }, /IMAGE_URLS is off/],
      [{ image: 'example.png', question: 'x'.repeat(2001) }, /2000 characters/],
    ]
    for (const [input, says] of rows) {
      const { isError, text, picture, structured } = await zoom(input)
      t.ok(isError, JSON.stringify(input).slice(0, 100))
      t.match(text, says)
      t.same([picture, structured], [null, undefined])
    }
    await t.rejects(client.callTool({ name: 'zoom', arguments: {} }), { code: -32602, message: /zoom_image/ })
    await t.rejects(client.listPrompts(), { code: -32601 })
    t.match(await zoom({ image: 'example.png', bbox_2d }), { isError: false })
  })

  await t.test('a call that is cancelled ends, and others do not', async t => {
    const cancel = new AbortController()
    const other = zoom({ image: 'example.png', question: 'What is the date?' })
    const call = zoom(
      { image: 'example.png', question },
      { signal: cancel.signal, onprogress: ({ message }) => /Looking/.test(message ?? '') && cancel.abort('enough') },
    )
    await t.rejects(call, /enough/)
    t.match(await other, { isError: false })
  })

  t.equal(session.log(), '', 'nothing to complain of')
})

t.test("the host's folders are read where no --root is given, and again when they change", async t => {
  const roots = [pathToFileURL(folder).href, 'https://example.org/', pathToFileURL(join(folder, 'missing')).href]
  const session = await startSession(t, { roots: () => roots, cwd: DOCS })
  const bbox_2d = [0, 0, 500, 500]
  t.match(await session.zoom({ image: 'turned.jpg', bbox_2d }), { isError: false })
  t.match(await session.zoom({ image: join(DOCS, 'example.png'), bbox_2d }), { isError: true, text: /not within/ })
  roots.push(pathToFileURL(DOCS).href)
  await session.client.sendRootsListChanged()
  t.match(await session.zoom({ image: join(DOCS, 'example.png'), bbox_2d }), { isError: false })
})

t.test('Claude Code gets no structured result, which it would show in place of the picture', async t => {
  const session = await startSession(t, { host: 'claude-code', args: ['--out', join(folder, 'out')], cwd: DOCS })
  const [tool] = (await session.client.listTools()).tools
  t.match(tool, { outputSchema: undefined, annotations: { readOnlyHint: false } })
  const { structured, picture, text } = await session.zoom({ image: 'example.png', bbox_2d: [0, 0, 500, 500] })
  t.equal(structured, undefined)
  const file = /the file (\S+)/.exec(text)?.[1] ?? ''
  t.equal(dirname(file), join(folder, 'out'))
  t.same(readFileSync(file), picture)
})
