import t from 'tap'
import { DIALECT_NAMES, DIALECTS, dialectNamed, dialectOfModel } from '../../../src/cropper/dialects/dialects.js'
import { WRITERS } from '../../support/fakes/pointing-server.js'

t.test('every dialect has a name of its own and a writer in the tests', async t => {
  t.equal(new Set(DIALECT_NAMES).size, DIALECTS.length)
  t.same([...DIALECT_NAMES].sort(), Object.keys(WRITERS).sort())
  for (const dialect of DIALECTS) t.equal(dialectNamed(dialect.name), dialect)
  t.equal(dialectNamed('klingon'), null)
})

t.test('a dialect is known by what endpoints call its models', async t => {
  const names: [dialect: string | null, ...models: string[]][] = [
    ['cropvlm', 'cropvlm-256m-merged', 'me/CropVLM-Qwen2.5-VL'],
    ['qwen2.5-vl', 'Qwen/Qwen2.5-VL-7B-Instruct', 'qwen2.5vl:7b', 'qwen2.5-vl-72b-instruct-awq'],
    ['qwen2-vl', 'Qwen/Qwen2-VL-2B-Instruct', 'qwen2-vl-7b'],
    ['qwen3-vl', 'Qwen/Qwen3-VL-8B-Thinking', 'qwen3-vl:8b', 'qwen3-vl-plus'],
    ['glm-v', 'zai-org/GLM-4.5V', 'THUDM/GLM-4.1V-9B-Thinking', 'glm-4.6v-flash', 'glm-4v-plus'],
    ['internvl', 'OpenGVLab/InternVL3_5-8B', 'internvl2.5-4b'],
    ['gemini', 'gemini-2.5-flash', 'models/gemini-2.0-flash', 'google/gemini-3-pro'],
    ['visual-cot', 'deepcs233/VisCoT-7b-336', 'visual-cot-13b'],
    ['uv-cot', 'kesenZhaoNTU/UV-CoT'],
    ['visrl', 'VisRL-Qwen2.5-VL-7B'],
    ['mini-o3', 'Mini-o3/Mini-o3-7B-v1'],
    ['pixel-reasoner', 'TIGER-Lab/PixelReasoner-RL-v1'],
    ['deepeyes', 'ChenShawn/DeepEyes-7B'],
    ['chain-of-focus', 'xtong-zhang/Chain-of-Focus-7B', 'CoF-rl-model-7b'],
    [
      null,
      'gpt-5',
      'gpt-4o',
      'llava-1.5-7b-hf',
      'Qwen/Qwen3-8B',
      'claude-opus-4',
      'DeepEyesV2_7B',
      'coffee-vl',
      'glm-4.6',
    ],
  ]
  for (const [dialect, ...models] of names)
    for (const model of models) t.equal(dialectOfModel(model)?.name ?? null, dialect, model)
})

t.test('prompts hold the question; what the contract fixes is exact', async t => {
  const question = 'What is the Total?'
  for (const { name, prompt } of DIALECTS) {
    const { text } = prompt(question)
    t.ok(text.toLowerCase().includes(question.toLowerCase()), name)
    t.notMatch(text, /undefined|\[object/, name)
  }
  t.same(dialectNamed('cropvlm')?.prompt(question), {
    system: null,
    text: 'What is the total?\nOutline the region in the image that would help answer this question.',
  })
  t.same(dialectNamed('qwen2.5-vl')?.prompt(question), {
    system: null,
    text: "Outline the region in the image that would help answer the following question: What is the Total?\nOutput the coordinates in JSON format with a 'bbox_2d' field containing [x1, y1, x2, y2].",
  })
  for (const name of ['deepeyes', 'chain-of-focus', 'pixel-reasoner'])
    t.match(dialectNamed(name)?.prompt(question).system, /<tools>\n\{"type":"function".+"bbox_2d".+\n<\/tools>/, name)
})

t.test('the grammar of each dialect takes a box that its reader reads, and no talk', async t => {
  const samples: Record<string, string> = {
    cropvlm: ' [12, 5, 80, 47].',
    'qwen2.5-vl': '{"bbox_2d": [28, 0, 1008, 700]}',
    'qwen2-vl': '{"bbox_2d": [28, 0, 1000, 700]}',
    'qwen3-vl': '{"bbox_2d": [28, 0, 1000, 700]}',
    'glm-v': '{"bbox_2d": [28, 0, 1000, 700]}',
    internvl: '<box>[[28, 0, 1000, 700]]</box>',
    gemini: '{"box_2d": [28, 0, 1000, 700]}',
    'visual-cot': '[0.120, 0.050, 1.000, 0.470]',
    'uv-cot': '[0.120, 0.050, 1.000, 0.470]',
    visrl: '[0.120, 0.050, 1.000, 0.470]',
    'mini-o3': '<grounding>{"bbox_2d": [0.120, 0.050, 1.000, 0.470], "source": "original_image"}</grounding>',
    'pixel-reasoner':
      '<tool_call>\n{"name": "crop_image_normalized", "arguments": {"bbox_2d": [0.120, 0.050, 1.000, 0.470], "target_image": 1}}\n</tool_call>',
    deepeyes: '<tool_call>\n{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [28, 0, 1008, 700]}}\n</tool_call>',
    'chain-of-focus':
      '<tool_call>\n{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [28, 0, 1008, 700]}}\n</tool_call>',
    generic: '{"bbox": [28, 0, 1000, 700]}',
  }
  for (const { name, grammar, read } of DIALECTS) {
    const sample = samples[name] ?? ''
    const whole = new RegExp(`^(?:${grammar})$`)
    t.match(sample, whole, name)
    t.equal(read({ text: sample, toolCalls: [] })?.numbers.length, 4, name)
    t.notMatch(`Here: ${sample}`, whole, name)
    t.notMatch(sample.replace(/\d/g, '9999999'), whole, name)
    t.notMatch(grammar, /\(\?/, 'no syntax that engines of structured outputs lack')
  }
})
