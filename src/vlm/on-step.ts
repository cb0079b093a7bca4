/**
 * Told what is done next while a model is loaded, before anything that may take long.
 * @param doing As it follows "it was": "hashing".
 * @param file Path of what it is done with.
 */
export type OnStep = (doing: string, file: string) => void

export const noStep: OnStep = () => {}
