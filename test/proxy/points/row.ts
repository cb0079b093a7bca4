/** One edit of the source. `file` and `tests` are paths below `src/` and `test/`; `search` stands once in the file. */
export type Row = [what: string, file: string, search: string, replace: string, ...tests: string[]]
