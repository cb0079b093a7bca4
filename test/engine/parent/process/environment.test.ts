import t from 'tap'
import { allocatorEnvironment } from '../../../../src/engine/parent/process/allocator.js'
import { engineEnvironment } from '../../../../src/engine/parent/process/environment.js'

t.test('an engine process gets no key, and its allocator is told how to work unless it has been', async t => {
  const secret = {
    API_KEY: '1',
    TARGET_API_KEY_FILE: '/run/key',
    HF_TOKEN: '2',
    AWS_SECRET_ACCESS_KEY: '3',
    DB_PASSWORD: '4',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=5',
    https_proxy: 'http://user:6@proxy',
  }
  const plain = { PATH: '/bin', LD_LIBRARY_PATH: '/opt/lib', NODE_OPTIONS: '--no-warnings', HOME: '/root' }
  const allocator = allocatorEnvironment({})
  t.same(engineEnvironment({ ...secret, ...plain }), { ...allocator, ...plain })
  t.same(engineEnvironment({ MALLOC_ARENA_MAX: '4' }), { ...allocator, MALLOC_ARENA_MAX: '4' })
  t.equal(engineEnvironment({ LD_PRELOAD: '' }).LD_PRELOAD, '')
})
