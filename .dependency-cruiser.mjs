/**
 * Which folder of `src/` may import which. `npm run lint` holds every import to it, type-only imports included:
 *
 *   http, cli -> zoom -> cropper, target -> engine -> ocr -> vlm -> image -> contract, errors
 *                        cropper, target -> text -> ocr
 *                        cropper, target -> openai -> image
 *   http -> links -> engine, config
 *   http -> proxy -> zoom, target
 *   http, zoom, links, openai, engine -> tracing
 *   cli -> mcp -> client, engine
 *
 * page (the browser's modules) stands alone.
 *
 * A folder may import any folder to the right of it, and nothing to the left. `main`, `serve`,
 * `service` and `shutdown` put the whole together, start and stop it, and are not bound by it.
 */

/** Each folder of `src/` and the folders that it may import besides itself. */
const MAY_IMPORT = {
  errors: [],
  contract: ['errors'],
  evaluation: ['contract'],
  image: ['contract', 'errors'],
  tracing: ['version', 'config', 'errors'],
  process: [],
  vlm: ['process', 'image', 'contract', 'errors'],
  ocr: ['vlm', 'image', 'contract', 'errors'],
  text: ['ocr', 'contract', 'errors'],
  engine: ['tracing', 'process', 'ocr', 'vlm', 'image', 'contract', 'errors'],
  openai: ['tracing', 'image', 'contract', 'errors'],
  cropper: ['config', 'openai', 'engine', 'text', 'ocr', 'vlm', 'image', 'contract', 'errors'],
  target: ['config', 'openai', 'engine', 'text', 'ocr', 'vlm', 'image', 'contract', 'errors'],
  zoom: ['tracing', 'config', 'cropper', 'target', 'engine', 'vlm', 'image', 'contract', 'errors'],
  links: ['tracing', 'version', 'config', 'engine', 'errors'],
  proxy: ['tracing', 'config', 'zoom', 'target', 'engine', 'image', 'contract', 'errors'],
  http: [
    'version',
    'config',
    'tracing',
    'links',
    'proxy',
    'zoom',
    'cropper',
    'target',
    'engine',
    'vlm',
    'image',
    'contract',
    'errors',
  ],
  client: [],
  mcp: ['version', 'client', 'config', 'engine', 'image', 'contract', 'errors'],
  cli: [
    'version',
    'serve',
    'service',
    'client',
    'mcp',
    'evaluation',
    'config',
    'zoom',
    'cropper',
    'target',
    'engine',
    'vlm',
    'image',
    'contract',
    'errors',
  ],
  config: ['contract', 'errors'],
  page: [],
  reference: ['cli', 'service', 'http', 'config', 'errors'],
}

/** Single files that may import what their folder may not. */
const EXCEPTIONS = [
  { from: 'src/config/', to: ['src/vlm/folder/graph-names.ts', 'src/vlm/onnx/providers.ts', 'src/target/profiles.ts'] },
  { from: 'src/engine/options.ts', to: ['src/config/'] },
  { from: 'src/proxy/upstream/send.ts', to: ['src/openai/transport/connection.ts'] },
]

/** npm packages that one place alone may import, so that the rest of the code does not depend on them. */
const ONLY_DOOR = {
  'onnxruntime-node': 'src/vlm/onnx/session.ts',
  openai: 'src/openai/',
  'ipaddr.js': 'src/links/',
  sharp: 'src/image/',
  fastify: 'src/(http/|service.ts)',
  '@fastify': 'src/http/',
  'prom-client': 'src/http/plugins/metrics.ts',
  '@huggingface/hub': 'src/cli/hub/',
  '@opentelemetry': 'src/tracing/otel/',
  '@modelcontextprotocol': 'src/mcp/',
}

/** The files that a process or a thread of its own starts with. */
const PROGRAMS = [
  'src/main.ts',
  'src/index.ts',
  'src/engine/child/main.ts',
  'src/vlm/onnx/optimised/writer.ts',
  'src/ocr/recognize/thread.ts',
  'src/cli/main.ts',
  'src/page/main.js',
  'src/reference/main.ts',
]

const escaped = path => path.replaceAll('.', '\\.')
const folder = name => `^src/${name}(/|\\.ts$)`
const folders = names => `^src/(${names.join('|')})(/|\\.ts$)`

const programs = PROGRAMS.map(path => `^${escaped(path)}$`)

/** Layers: one rule a folder. */
const layers = Object.entries(MAY_IMPORT).map(([name, others]) => ({
  name: `layer-${name}`,
  comment: `src/${name} may import ${others.join(', ') || 'nothing else of src/'} (see the head of .dependency-cruiser.mjs)`,
  severity: 'error',
  from: {
    path: folder(name),
    pathNot: EXCEPTIONS.map(({ from }) => `^${escaped(from)}`).filter(from => isIn(from, name)),
  },
  to: { path: '^src/', pathNot: folders([name, ...others]) },
}))

/** The same for the files with an exception: their folder's rule, and the exception allowed besides. */
const exceptions = EXCEPTIONS.map(({ from, to }) => {
  const name = from.split('/')[1]
  return {
    name: `layer-${name}`,
    comment: `${from} may import ${[...MAY_IMPORT[name], ...to].join(', ')}`,
    severity: 'error',
    from: { path: `^${escaped(from)}` },
    to: { path: '^src/', pathNot: [folders([name, ...MAY_IMPORT[name]]), ...to.map(path => `^${escaped(path)}`)] },
  }
})

function isIn(from, name) {
  return from.startsWith(`^src/${name}/`)
}

const doors = Object.entries(ONLY_DOOR).map(([name, door]) => ({
  name: `only-door-to-${name}`,
  comment: `${name} is imported by ${door} alone`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^${escaped(door)}` },
  to: { path: `^node_modules/${name}/` },
}))

export default {
  forbidden: [
    ...layers,
    ...exceptions,
    ...doors,
    {
      name: 'layer-is-named',
      comment: 'A new folder of src/ needs its line in MAY_IMPORT of .dependency-cruiser.mjs',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: folders(Object.keys(MAY_IMPORT)) },
      to: { path: '^src/' },
    },
    {
      name: 'parent-knows-no-child',
      comment: 'src/engine/child/ is the program of another process: nothing outside it imports it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/engine/child/' },
      to: { path: '^src/engine/child/' },
    },
    {
      name: 'child-knows-no-parent',
      comment: 'What both processes need is in src/engine/ itself (protocol, options)',
      severity: 'error',
      from: { path: '^src/engine/child/' },
      to: { path: '^src/engine/parent/' },
    },
    {
      name: 'no-circle',
      comment: 'No circle of imports, type-only ones included: move what both sides need to a file of its own',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-dead-file',
      comment: 'Every file of src/ is a program (PROGRAMS of .dependency-cruiser.mjs) or is imported by one',
      severity: 'error',
      from: { path: programs },
      to: { path: '^src/', pathNot: programs, reachable: false },
    },
    {
      name: 'service-loads-no-model',
      comment: 'A run of onnxruntime blocks its event loop and a decoder may crash: both belong to the engine process',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^(src/vlm/onnx/session\\.ts|node_modules/sharp/)', reachable: true },
    },
    {
      name: 'client-runs-anywhere',
      comment: 'src/client/ is also for pages: it imports nothing of Node and no package',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { pathNot: '^src/client/' },
    },
    {
      name: 'tests-stay-outside',
      comment: 'The service imports nothing of test/, bench/ or fuzz/',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|fuzz)/' },
    },
    {
      name: 'no-dev-dependency',
      comment: '`npm install --omit=dev` would leave this package out',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-unresolvable',
      comment: 'The import names no file and no package',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: '^node_modules' },
    exclude: {
      path: '^(bench/.build|fuzz/.build|fuzz/jazzer|test/matrix/.build|bench/transformers-js|test/fixtures)/',
    },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
