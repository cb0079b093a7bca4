import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The package's own version. */
export const VERSION = versionIn(new URL('../package.json', import.meta.url))

/** The version of ONNX Runtime's package, which this does not load. */
export function onnxruntimeVersion(): string {
  return versionIn(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
}

function versionIn(manifest: string | URL): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
