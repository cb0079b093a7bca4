/**
 * The `preinstall` of the published package, which npm runs before the scripts of the packages that it depends on. One of
 * those, onnxruntime-node 1.30's, fetches CUDA libraries on Linux x64 from a host that is not the npm registry, and where
 * that host cannot be reached the whole installation fails. It fetches nothing where files of their names are there, so
 * this puts notes in their place: on a machine without an NVIDIA GPU, for which they would be several hundred MB to no
 * use, and where the host does not answer. Nothing is done where ONNXRUNTIME_NODE_INSTALL says what is wanted (cuda12,
 * skip). It can go once onnxruntime-node lets an installation go on without them.
 */
const { spawnSync } = require('node:child_process')
const { existsSync, writeFileSync } = require('node:fs')
const { dirname, join } = require('node:path')

const FEED = 'https://api.nuget.org/v3/index.json'
const NOTE = `CropVLM's installation has left this library out. To have CUDA, run this in the project's folder:
  ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node
`

main().catch(error => {
  console.error(`The CUDA libraries could not be left out: ${error.message}`)
})

async function main() {
  const { env, platform, arch } = process
  const said = env.ONNXRUNTIME_NODE_INSTALL || env.ONNXRUNTIME_NODE_INSTALL_CUDA
  if (said || env.npm_config_onnxruntime_node_install || env.npm_config_onnxruntime_node_install_cuda) return
  if (platform !== 'linux' || arch !== 'x64') return
  const folder = onnxruntimeFolder()
  // another layout of node_modules, or its scripts do not run
  if (folder === null) return
  const { manifests } = require(join(folder, 'script/install-metadata.js'))
  const missing = Object.keys(manifests['linux/x64:cuda12'])
    .map(name => join(folder, 'bin/napi-v6/linux/x64', name))
    .filter(path => !existsSync(path))
  if (missing.length === 0 || (hasGpu() && (await answers()))) return
  for (const path of missing) writeFileSync(path, NOTE)
}

/** The installed onnxruntime-node, or null. */
function onnxruntimeFolder() {
  try {
    return dirname(require.resolve('onnxruntime-node/package.json'))
  } catch {
    return null
  }
}

function hasGpu() {
  return spawnSync('nvidia-smi', ['-L'], { stdio: 'ignore' }).status === 0
}

/** Whether the feed can be reached as onnxruntime-node's script would. */
async function answers() {
  try {
    return (await fetch(FEED, { signal: AbortSignal.timeout(10_000) })).ok
  } catch {
    return false
  }
}
