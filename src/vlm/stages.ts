/** The stages of an answer: reading the images, resizing them, vision encoder, prefill, decode loop. */
export type GenerationStage = 'decode' | 'preprocess' | 'vision' | 'prefill' | 'generate'
