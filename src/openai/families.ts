/**
 * Families of VLMs by the names that endpoints give their models (`Qwen/Qwen2.5-VL-7B-Instruct`, `qwen2.5vl:7b`). What a
 * family is shown as a target is in `src/target/profiles.ts`, how it writes boxes in `src/cropper/dialects/`.
 */
export const FAMILIES = {
  'qwen2-vl': /qwen-?2[._-]?vl/i,
  'qwen2.5-vl': /qwen-?2[._-]5[._-]?vl/i,
  'qwen3-vl': /qwen-?3[._-]?vl/i,
  internvl: /intern-?_?vl/i,
  gemini: /gemini/i,
} as const satisfies Readonly<Record<string, RegExp>>
