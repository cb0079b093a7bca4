/** What `import ... from 'cropvlm'` gives. */
export {
  type AnswerReply,
  type AnswerRequest,
  type CallOptions,
  ClientError,
  type ClientOptions,
  type CropListReply,
  type CropListRequest,
  type CropReply,
  type CropRequest,
  CropVlmClient,
  type ImageInput,
  type InfoReply,
  type ZoomBox,
  type ZoomOptions,
  type ZoomReply,
} from './client/client.js'
export { CropVlmError, type ErrorCode } from './errors.js'
export { createService, type Service, type ServiceOptions } from './service.js'
