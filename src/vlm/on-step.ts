/**
 * Told what is done next while a model is loaded, before anything that may take long.
 * @param doing As it follows "it was": "hashing".
 * @param file Path of what it is done with.
 * @param isTrial Whether what a stranger has written there is run for the first time (a template, a pattern): until the next
 * step it may take little memory and time.
 */
export type OnStep = (doing: string, file: string, isTrial?: boolean) => void

export const noStep: OnStep = () => {}
