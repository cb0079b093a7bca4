/** The settings of the service under test. Caches are small, so that they are full before the measured part begins. */
import { BUNDLED_MODELS } from '../service.js'
import { tellingAllocator } from './measure/allocator.js'
import { MAX_BODY_BYTES } from './requests/bad.js'

export const CROPPERS = ['text', 'onnx'] as const
export type CropperName = (typeof CROPPERS)[number]

export const QUEUE_SIZE = 16

/** @param targetUrl Of the server with both targets. */
export function soakSettings(cropper: CropperName, targetUrl: string): Record<string, string> {
  const isModel = cropper === 'onnx'
  return {
    CROPPER: cropper,
    CROPPER_MODEL: isModel ? BUNDLED_MODELS.CROPPER_MODEL : '',
    CROPPER_BASE_URL: '',
    TARGETS: JSON.stringify([
      // an answer that comes at once, however busy this machine is
      { name: 'steady', base_url: `${targetUrl}/steady/v1`, model: 'steady-vlm', timeout_ms: 60_000 },
      { name: 'shaky', base_url: `${targetUrl}/shaky/v1`, model: 'shaky-vlm', timeout_ms: 1000 },
      { name: 'local', model: isModel ? `local:${BUNDLED_MODELS.LOCAL_TARGET_MODEL}` : 'local:text' },
    ]),
    TARGETS_FILE: '',
    TARGET_BASE_URL: '',
    TARGET_MODEL: '',
    LOCAL_TARGET_MODEL: '',
    TARGET_FIRST_TIMEOUT_MS: '10000',
    TARGET_BREAKER_MS: '2000',
    PROXY_FIRST_BYTE_TIMEOUT_MS: '3000',
    QUEUE_SIZE: String(QUEUE_SIZE),
    PREFIX_CACHE_BYTES: String(32 * 2 ** 20),
    ZOOM_CACHE_BYTES: String(4 * 2 ** 20),
    MAX_BODY_BYTES: String(MAX_BODY_BYTES),
    // so that a link into loopback is refused by its address, not because links are off
    IMAGE_URLS: 'allow',
    IMAGE_URL_HOSTS: '*',
    // what an engine prints is logged as a warning
    LOG_LEVEL: 'warn',
    ...tellingAllocator(),
  }
}
