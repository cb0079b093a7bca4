import { noStep, type OnStep } from '../on-step.js'
import { TimeLimitError } from '../time-limit.js'
import { MAX_PROBE_MS, probe } from '../tokens/probe.js'
import { makeTokenizer, type Tokenizer } from '../tokens/tokenizer.js'
import { dig, isObject, type Json, type ModelFolder } from './folder.js'

/** Largest `tokenizer.json`, in bytes; that of 256,000 tokens has 33 million. */
const MAX_TOKENIZER_BYTES = 64 * 2 ** 20
/** Most tokens added to the vocabulary; real models have at most some thousands. */
const MAX_ADDED_TOKENS = 20_000

/** Most tokens of a vocabulary, and most merges; the largest models have 262,000 and 580,000. */
const MAX_TOKENS = 2 ** 19
const MAX_MERGES = 2 ** 20
/** Most ids that end an answer, and the largest id. */
const MAX_ENDS = 100
const MAX_ID = 2 ** 24

/** What a folder says about text, whatever the model's family. */
export interface TextSettings {
  tokenizer: Tokenizer
  /** Jinja, as it stands in the folder. */
  chatTemplate: string
  /** The file that it stands in. */
  templateFile: string
  /** Special tokens that a template may refer to, by their names there (`bos_token`, ...). */
  templateTokens: Readonly<Record<string, string>>
}

/**
 * Reads the tokenizer and the chat template.
 * @throws CropVlmError invalid_model, naming the file
 */
export async function readText(folder: ModelFolder, onStep: OnStep = noStep): Promise<TextSettings> {
  const tokenizerJson = await folder.json('tokenizer.json', MAX_TOKENIZER_BYTES)
  const tokenizerConfig = await folder.json('tokenizer_config.json')
  return {
    tokenizer: readTokenizer(folder, tokenizerJson, tokenizerConfig, onStep),
    ...(await readTemplate(folder, tokenizerConfig)),
    templateTokens: templateTokens(tokenizerConfig),
  }
}

/** The id of a special token. @throws CropVlmError invalid_model if the tokenizer has no such token */
export function specialToken(folder: ModelFolder, tokenizer: Tokenizer, token: string): number {
  const id = tokenizer.special.includes(token) ? tokenizer.id(token) : undefined
  if (id === undefined) throw folder.fail('tokenizer.json', `there is no special token ${token}.`)
  return id
}

/** The ids that end an answer by `generation_config.json`; none if there is no such file. */
export async function readGenerationEnds(folder: ModelFolder): Promise<number[]> {
  const ends = [dig(await folder.optionalJson('generation_config.json'), 'eos_token_id') ?? []].flat()
  if (ends.length > MAX_ENDS || !ends.every(id => isId(id) && (id as number) <= MAX_ID))
    throw folder.fail(
      'generation_config.json',
      `\`eos_token_id\` has to be a token id, from 0 to ${MAX_ID}, or a list of at most ${MAX_ENDS} of them.`,
    )
  return ends as number[]
}

function readTokenizer(folder: ModelFolder, tokenizerJson: Json, tokenizerConfig: Json, onStep: OnStep): Tokenizer {
  const { added_tokens: added = [] } = tokenizerJson
  if (!Array.isArray(added) || added.length > MAX_ADDED_TOKENS)
    throw folder.fail('tokenizer.json', `\`added_tokens\` has to be a list of at most ${MAX_ADDED_TOKENS} tokens.`)
  if (!added.every(isAddedToken))
    throw folder.fail('tokenizer.json', 'each of `added_tokens` has to have an `id`, from 0, and a text as `content`.')
  for (const [key, most] of [
    ['vocab', MAX_TOKENS],
    ['merges', MAX_MERGES],
  ] as const) {
    const given = dig(tokenizerJson, 'model', key) ?? []
    const entries = Array.isArray(given) ? given.length : Object.keys(given).length
    if (entries > most)
      throw folder.fail('tokenizer.json', `\`model.${key}\` has ${entries} entries, and at most ${most} are read.`)
  }
  if (!isVocabulary(dig(tokenizerJson, 'model', 'vocab')))
    throw folder.fail(
      'tokenizer.json',
      '`model.vocab` has to be an object of tokens and their ids, from 0, or a list of tokens and their scores.',
    )
  try {
    const tokenizer = makeTokenizer(tokenizerJson, tokenizerConfig)
    onStep('trying the patterns of', folder.path('tokenizer.json'), true)
    probe(tokenizer)
    return tokenizer
  } catch (cause) {
    if (cause instanceof TimeLimitError)
      throw folder.fail('tokenizer.json', `its patterns took longer than ${MAX_PROBE_MS} ms for a short text.`, cause)
    throw folder.fail('tokenizer.json', 'the tokenizer cannot be built.', cause)
  }
}

function isAddedToken(token: unknown): boolean {
  const { id, content } = isObject(token) ? token : {}
  return isId(id) && typeof content === 'string' && content !== ''
}

function isVocabulary(vocab: unknown): boolean {
  if (isObject(vocab)) return Object.values(vocab).every(isId)
  const isScored = (entry: unknown) =>
    Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number'
  return Array.isArray(vocab) && vocab.every(isScored)
}

function isId(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Folders keep the template in one of three places; the first that is there counts, as in transformers. */
async function readTemplate(
  folder: ModelFolder,
  tokenizerConfig: Json,
): Promise<Pick<TextSettings, 'chatTemplate' | 'templateFile'>> {
  const own = 'chat_template.jinja'
  if (folder.has(own)) return { chatTemplate: await folder.text(own), templateFile: own }
  const file = folder.has('chat_template.json') ? 'chat_template.json' : 'tokenizer_config.json'
  const { chat_template: template } = file === 'tokenizer_config.json' ? tokenizerConfig : await folder.json(file)
  if (typeof template !== 'string') throw folder.fail(file, 'there is no chat template in it, nor beside it.')
  return { chatTemplate: template, templateFile: file }
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
