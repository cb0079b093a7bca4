import type { Session } from './onnx/session.js'
import type { TokenEmbeddings } from './tokens/embeddings.js'

/** The three graphs of a loaded model. */
export interface Graphs {
  vision: Session
  embed: TokenEmbeddings
  decoder: Session
}
