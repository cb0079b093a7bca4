import t from 'tap'
import { PROFILE_NAMES, PROFILES, profileFor, profileOfModel } from '../../src/target/profiles.js'

t.test('by the names that endpoints give models', async t => {
  const names: Record<string, readonly string[]> = {
    'qwen2.5-vl': [
      'Qwen/Qwen2.5-VL-7B-Instruct',
      'qwen2.5vl:7b',
      'qwen/qwen-2.5-vl-72b-instruct:free',
      'Qwen2-VL-2B-Instruct',
      'models/qwen2_5-vl-3b-instruct-q4_k_m.gguf',
    ],
    'qwen3-vl': ['Qwen/Qwen3-VL-8B-Thinking', 'qwen3-vl:2b', 'Qwen/Qwen3.5-9B'],
    'llava-1.5': ['llava-hf/llava-1.5-7b-hf', 'liuhaotian/llava-v1.5-13b'],
    'gpt-4.1': ['gpt-4.1-nano', 'openai/gpt-4o-mini', 'chatgpt-4o-latest', 'azure/gpt-4-turbo', 'gpt-5.1-chat-latest'],
    'gpt-5': ['gpt-5', 'openai/gpt-5-mini', 'gpt-5.4', 'o3', 'openai/o4-mini', 'o1-2024-12-17'],
    gemini: ['gemini-2.5-flash', 'google/gemini-3-pro-preview', 'models/gemini-2.0-flash'],
    internvl: ['OpenGVLab/InternVL3-8B', 'intern_vl2'],
    smolvlm: ['HuggingFaceTB/SmolVLM2-2.2B-Instruct', 'smolvlm-256m-instruct-q8_0.gguf'],
    gemma: ['google/gemma-3-4b-it', 'gemma3:4b'],
    plain: [
      'vlm',
      'llava:7b',
      'llava-v1.6-mistral-7b',
      'pixtral-12b',
      'minigpt-4',
      'qwen2.5:7b',
      'glm-4.5v',
      'proto1-8b',
    ],
  }
  for (const [profile, models] of Object.entries(names))
    for (const model of models) t.equal(profileOfModel(model), profile, model)
})

t.test('every picture of every family can be read by its image processor', async t => {
  for (const name of PROFILE_NAMES) {
    const { minSide, fullEdge, cropEdge, cropEnlarge, prompt } = PROFILES[name]
    t.ok(minSide >= (name === 'qwen3-vl' ? 32 : 28), name)
    t.ok((fullEdge ?? minSide) >= minSide && (cropEdge ?? minSide) >= minSide, name)
    t.ok(cropEnlarge >= 1, name)
    t.ok(name === 'paper' ? prompt === null : prompt?.includes('{question}'), name)
  }
})

t.test("the paper's profile is what the paper did; no other shows a thumbnail", async t => {
  t.match(PROFILES.paper, { fullEdge: 512, cropEdge: 512, cropEnlarge: 1, prompt: null })
  t.match(PROFILES['gpt-5'], { tokensField: 'max_completion_tokens', takesTemperature: false, reasoningTokens: 2048 })
  const small = PROFILE_NAMES.filter(name => (PROFILES[name].fullEdge ?? 1e9) <= 512)
  t.same(small, ['llava-1.5', 'paper'])
})

t.test('a model that thinks by its name has room for it', async t => {
  t.equal(profileFor('qwen3-vl', 'Qwen/Qwen3-VL-8B-Thinking').reasoningTokens, 2048)
  t.equal(profileFor('qwen3-vl', 'Qwen/Qwen3-VL-8B-Instruct').reasoningTokens, 0)
  t.equal(profileFor('plain', 'glm-4.1v-9b-thinking').reasoningTokens, 2048)
})
