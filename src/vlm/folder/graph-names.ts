/** How the hub names the ONNX files of a vision-language model: three graphs, each in any of several precisions. */

/** The three graphs of a model, as the hub names their files. */
export const GRAPHS = { vision: 'vision_encoder', embed: 'embed_tokens', decoder: 'decoder_model_merged' } as const
export type Graph = keyof typeof GRAPHS

/** Suffixes of the graphs' files, in the order in which they are looked for; fp32 has no suffix. */
export const PRECISIONS = ['fp32', 'fp16', 'int8', 'quantized', 'uint8', 'q4', 'q4f16', 'bnb4'] as const
export type Precision = (typeof PRECISIONS)[number]

/** Other names for a precision: transformers.js calls the hub's `_quantized` files q8. */
export const PRECISION_ALIASES: Readonly<Record<string, Precision>> = { q8: 'quantized' }

/** Every name by which a precision may be asked for. */
export const PRECISION_NAMES: readonly string[] = [...PRECISIONS, ...Object.keys(PRECISION_ALIASES)]

/** The precision that a name stands for; undefined if it stands for none. */
export function parsePrecision(name: string): Precision | undefined {
  return PRECISIONS.find(known => known === name) ?? PRECISION_ALIASES[name]
}

/** A precision as people write it: `q8` rather than the hub's `quantized`. */
export function spokenPrecision(precision: Precision): string {
  const alias = Object.entries(PRECISION_ALIASES).find(([, meant]) => meant === precision)
  return alias ? alias[0] : precision
}

/** A graph's file inside its model folder: `onnx/vision_encoder_int8.onnx`. */
export function graphFile(graph: Graph, precision: Precision): string {
  return `onnx/${GRAPHS[graph]}${precision === 'fp32' ? '' : `_${precision}`}.onnx`
}
