import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The package's own version. */
export const VERSION = versionIn(manifestAbove(new URL('.', import.meta.url)))

/** The version of ONNX Runtime's package, which this does not load. */
export function onnxruntimeVersion(): string {
  return versionIn(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
}

/** The nearest package.json above: one folder up of src/ and dist/, and further from where the bench is compiled to. */
function manifestAbove(folder: URL): URL {
  const above = new URL('../', folder)
  const manifest = new URL('package.json', above)
  if (existsSync(manifest) || above.href === folder.href) return manifest
  return manifestAbove(above)
}

function versionIn(manifest: string | URL): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
