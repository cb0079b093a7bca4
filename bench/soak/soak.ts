/** One soak: a service, its targets, the load, the kills and the samples, from the start to the figures. */
import { closeSync, openSync } from 'node:fs'
import { allocatorEnvironment } from '../../src/engine/parent/process/allocator.js'
import { seeded } from '../random.js'
import { startBenchService } from '../service.js'
import { Disturbances } from './disturbances.js'
import { Collector, INSPECTABLE } from './measure/collector.js'
import { Sampler } from './measure/sampler.js'
import { makePictures } from './requests/pictures.js'
import { closeConnections } from './requests/send.js'
import { Run, type SoakPlan, type SoakResult } from './run.js'
import { makeSchedule } from './schedule.js'
import { soakSettings } from './settings.js'
import { startTargets } from './target/server.js'

export async function soak(plan: SoakPlan): Promise<SoakResult> {
  const { seconds, seed, cropper, main, csv, serviceLog } = plan
  const log = openSync(serviceLog, 'w')
  const random = seeded(seed)
  const targets = await startTargets(seeded(seed + 1))
  try {
    const settings = {
      ...(plan.collects ? { ...INSPECTABLE, ...allocatorEnvironment(process.env) } : {}),
      ...soakSettings(cropper, targets.url),
    }
    const service = await startBenchService(settings, main, log)
    const collector = new Collector(serviceLog)
    try {
      const sampler = new Sampler(service, csv, serviceLog)
      const world = {
        url: service.url,
        pictures: await makePictures(random),
        random,
        heard: sampler.heard.bind(sampler),
      }
      const run = new Run(plan, service, sampler, new Disturbances(), collector, world)
      const result = await run.all(makeSchedule(seconds))
      return { ...result, behaviours: targets.behaviours }
    } finally {
      collector.close()
      closeConnections()
      await service.stop()
    }
  } finally {
    targets.close()
    closeSync(log)
  }
}
