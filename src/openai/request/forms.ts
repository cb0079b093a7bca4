/**
 * Not every endpoint takes every field of a request. A request has several forms; the one that an endpoint has taken is
 * remembered, so that it is asked in no other from then on.
 */
export interface Forms<F> {
  /**
   * Asks in the remembered form, and in another one as long as `next` names one.
   * @throws what `next` throws
   */
  ask<T>(call: (form: F) => Promise<T>): Promise<T>
}

/** A form that was refused. */
export interface RefusedForm<F> {
  error: unknown
  form: F
  /** With what the first form of this request was refused. */
  first: unknown
}

/**
 * @param initial The form to begin with.
 * @param next The form to try after one that was refused; throws what the caller is to be told where there is none.
 */
export function rememberedForm<F>(initial: F, next: (refused: RefusedForm<F>) => F): Forms<F> {
  let taken = initial
  return {
    async ask(call) {
      let form = taken
      let first: unknown = null
      for (;;)
        try {
          const reply = await call(form)
          taken = form
          return reply
        } catch (error) {
          first ??= error
          form = next({ error, form, first })
        }
    },
  }
}

/** Room to think, in tokens, for models that always do. An answer is empty where it runs out before they have done. */
export const REASONING_TOKENS = 2048
