import { FAKE, GLOBAL, IMAGE, type PromptFormat } from '../idefics3/prompt.js'
import { makeTokenizer } from '../tokens/tokenizer.js'
import { dig, isObject, type Json, type ModelFolder } from './folder.js'

/** What the folder says about text. */
export interface TextManifest {
  prompt: PromptFormat
  imageToken: number
  eos: ReadonlySet<number>
}

export const END_OF_UTTERANCE = '<end_of_utterance>'

/** Reads the tokenizer, the chat template and what ends an answer. */
export async function readText(folder: ModelFolder, tokensPerTile: number): Promise<TextManifest> {
  const tokenizerJson = await folder.json('tokenizer.json')
  const tokenizerConfig = await folder.json('tokenizer_config.json')
  const tokenizer = (() => {
    try {
      return makeTokenizer(tokenizerJson, tokenizerConfig)
    } catch (cause) {
      throw folder.fail('tokenizer.json', 'the tokenizer cannot be built; fetch or export the model again.', cause)
    }
  })()
  const idOf = (token: string) => {
    const id = tokenizer.special.includes(token) ? tokenizer.id(token) : undefined
    if (id === undefined) throw folder.fail('tokenizer.json', `there is no special token ${token}.`)
    return id
  }
  idOf(FAKE)
  idOf(GLOBAL)
  return {
    prompt: {
      tokenizer,
      chatTemplate: await readTemplate(folder, tokenizerConfig),
      templateTokens: templateTokens(tokenizerConfig),
      tokensPerTile,
    },
    imageToken: idOf(IMAGE),
    eos: new Set([idOf(END_OF_UTTERANCE), ...(await generationEnds(folder))]),
  }
}

/** The three places where folders keep it, the one that transformers prefers first. */
async function readTemplate(folder: ModelFolder, tokenizerConfig: Json): Promise<string> {
  if (folder.has('chat_template.jinja')) return await folder.text('chat_template.jinja')
  const file = folder.has('chat_template.json') ? 'chat_template.json' : 'tokenizer_config.json'
  const { chat_template: template } = file === 'tokenizer_config.json' ? tokenizerConfig : await folder.json(file)
  if (typeof template !== 'string') throw folder.fail(file, 'there is no chat template in it, nor beside it.')
  return template
}

function templateTokens(tokenizerConfig: Json): Record<string, string> {
  const names = ['bos_token', 'eos_token', 'pad_token', 'unk_token']
  return Object.fromEntries(
    names.flatMap(name => {
      const token = tokenizerConfig[name]
      const content = isObject(token) ? token.content : token
      return typeof content === 'string' ? [[name, content]] : []
    }),
  )
}

async function generationEnds(folder: ModelFolder): Promise<number[]> {
  const ends = [dig(await folder.optionalJson('generation_config.json'), 'eos_token_id') ?? []].flat()
  if (!ends.every(id => Number.isInteger(id)))
    throw folder.fail('generation_config.json', '`eos_token_id` has to be a token id or a list of them.')
  return ends as number[]
}
