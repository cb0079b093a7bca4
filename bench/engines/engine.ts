/** An engine under comparison: a model loaded in its own process (or two), which is asked for one box after another. */

export interface Question {
  /** Path of an image file: each engine reads and decodes it itself, within the time that is measured. */
  image: string
  question: string
  /** Longest edge, in pixels. */
  resolution: number
  /** How many tokens a peer generates; ours ends by its grammar. */
  newTokens: number
}

export interface Answer {
  total_ms: number
  /** decode, preprocess, vision, prefill, generate, in milliseconds. */
  stages: Record<string, number>
  /** Generated, the end included. */
  tokens: number
  tiles: number
}

export type EngineName = 'cropvlm' | 'transformers' | 'transformers.js'

export interface Engine {
  readonly name: EngineName
  readonly precision: string
  /** Of the libraries. */
  readonly version: string
  ask(question: Question): Promise<Answer>
  /** Its processes, whose memory and processor time are measured. */
  pids(): number[]
  close(): Promise<void>
}

export const STAGES = ['decode', 'preprocess', 'vision', 'prefill', 'generate'] as const
