/** What `import ... from 'cropvlm'` gives. */
export {
  type AnswerReply,
  type AnswerRequest,
  type ClientOptions,
  type CropListReply,
  type CropListRequest,
  type CropReply,
  type CropRequest,
  CropVlmClient,
  type ImageInput,
  type InfoReply,
} from './client/client.js'
export { ClientError } from './client/error.js'
export { CropVlmError, type ErrorCode } from './errors.js'
export { createService, type Service, type ServiceOptions } from './service.js'
