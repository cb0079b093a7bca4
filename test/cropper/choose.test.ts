import t from 'tap'
import { CROPPER_NAMES } from '../../src/config/cropper.js'
import { type ChoiceInput, chooseCropper } from '../../src/cropper/choose.js'
import { DIALECT_NAMES } from '../../src/cropper/dialects/dialects.js'

const nothing: ChoiceInput = { cropper: null, model: null, baseUrl: null, boxes: null, targetModel: null }
const choose = (input: Partial<ChoiceInput>) => chooseCropper({ ...nothing, ...input })
const url = 'http://localhost:8000/v1'
const qwen = 'Qwen/Qwen2.5-VL-7B-Instruct'

t.test('the table: what is configured, and which cropper that means', async t => {
  const rows: [input: Partial<ChoiceInput>, cropper: string, dialect: string | null, isDoubtful: boolean][] = [
    [{}, 'text', null, false],
    [{ model: 'models/cropvlm-mini' }, 'onnx', null, false],
    [{ model: 'models/a', targetModel: qwen }, 'onnx', null, false],
    [{ model: 'models/a', cropper: 'attention' }, 'attention', null, false],
    [{ baseUrl: url, model: qwen }, 'openai', 'qwen2.5-vl', false],
    [{ baseUrl: url, model: 'mine', boxes: 'cropvlm' }, 'openai', 'cropvlm', false],
    [{ baseUrl: url, model: 'gpt-5' }, 'openai', 'generic', true],
    [{ baseUrl: url, model: qwen, targetModel: 'gemini-2.5-pro' }, 'openai', 'qwen2.5-vl', false],
    [{ targetModel: qwen }, 'target', 'qwen2.5-vl', false],
    [{ targetModel: 'gemini-2.5-flash' }, 'target', 'gemini', false],
    [{ targetModel: 'gpt-5' }, 'text', null, true],
    [{ targetModel: 'gpt-5', boxes: 'generic' }, 'target', 'generic', false],
    [{ targetModel: 'served', targetProfile: 'qwen3-vl' }, 'target', 'qwen3-vl', false],
    [{ targetModel: 'served', targetProfile: 'plain' }, 'text', null, true],
    [{ targetModel: qwen, targetProfile: 'internvl' }, 'target', 'qwen2.5-vl', false],
    [{ cropper: 'target', targetModel: 'served', targetProfile: 'gemini' }, 'target', 'gemini', false],
    [{ targetModel: qwen, boxes: 'qwen3-vl' }, 'target', 'qwen3-vl', false],
    // said outright
    [{ cropper: 'text', targetModel: qwen, model: 'models/a' }, 'text', null, false],
    [{ cropper: 'onnx', model: 'models/a', baseUrl: url }, 'onnx', null, false],
    [{ cropper: 'openai', baseUrl: url, model: qwen }, 'openai', 'qwen2.5-vl', false],
    [{ cropper: 'target', targetModel: qwen, model: 'models/a' }, 'target', 'qwen2.5-vl', false],
    [{ cropper: 'target', targetModel: 'gpt-5' }, 'target', 'generic', true],
  ]
  for (const [input, cropper, name, isDoubtful] of rows) {
    const dialect = name === null ? null : { name }
    t.match(choose(input), { choice: { cropper, dialect, isDoubtful, why: /^\S.*[^.]$/ } }, JSON.stringify(input))
  }
})

t.test('an unknown dialect of the target is told, with what sets another cropper', async t => {
  const { choice } = choose({ targetModel: 'gpt-5' }) as { choice: { why: string } }
  t.match(choice.why, /"gpt-5".+CROPPER_BOXES.+generic.+CROPPER_MODEL.+CROPPER_BASE_URL/)
})

t.test('what is lacking is told with its remedy', async t => {
  const rows: [input: Partial<ChoiceInput>, problem: RegExp][] = [
    [{ boxes: 'klingon' }, /^CROPPER_BOXES is "klingon"; set it to one of cropvlm.+generic/],
    [{ boxes: 'generic' }, /no endpoint.+CROPPER_BASE_URL.+TARGET_BASE_URL/],
    [{ cropper: 'onnx' }, /CROPPER_MODEL is not set.+models\/cropvlm-mini/],
    [{ cropper: 'attention' }, /CROPPER_MODEL is not set/],
    [{ cropper: 'openai' }, /CROPPER_BASE_URL is not set/],
    [{ cropper: 'openai', model: qwen }, /CROPPER_BASE_URL is not set/],
    [{ cropper: 'openai', baseUrl: url }, /CROPPER_MODEL is not/],
    [{ baseUrl: url }, /^CROPPER_BASE_URL is set, but CROPPER_MODEL is not/],
    [{ cropper: 'target' }, /not an endpoint; set TARGET_BASE_URL and TARGET_MODEL/],
  ]
  for (const [input, problem] of rows) t.match(choose(input), { problem }, JSON.stringify(input))
})

t.test('every cropper can be said outright, and every dialect set', async t => {
  const all = { baseUrl: url, model: 'm', targetModel: 'm' }
  for (const cropper of CROPPER_NAMES) t.match(choose({ ...all, cropper }), { choice: { cropper } })
  for (const boxes of DIALECT_NAMES) t.match(choose({ ...all, boxes }), { choice: { dialect: { name: boxes } } })
})
