import t from 'tap'
import { readApps } from '../../../bench/system/gpu-memory.js'

t.test("nvidia-smi's table of processes", async t => {
  t.same(readApps('1234, 2048\n77, 512\n[N/A], [N/A]\n'), [
    [1234, 2048],
    [77, 512],
  ])
})
