import t from 'tap'
import { byProvider, PROVIDER_CHOICES, PROVIDERS } from '../../../src/vlm/onnx/providers.js'

t.test('what may be asked for, and a value for each provider', async t => {
  t.same(PROVIDER_CHOICES, ['auto', 'cpu', 'cuda'])
  t.same(
    byProvider(name => PROVIDERS[name].ortProviders),
    { cpu: ['cpu'], cuda: ['cuda', 'cpu'] },
    'what CUDA cannot run is run by the CPU',
  )
})
