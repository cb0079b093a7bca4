/** What a graph may have. Real ones of 7 billion weights stay far below all of it. */

/** Nodes, those of inner graphs and of each call of a function included. A small VLM's decoder has 80 to 3000. */
export const MAX_NODES = 50_000
/** Graphs within graphs, and functions that call functions. */
export const MAX_DEPTH = 16
/** Runs of the body of a Loop whose count the graph fixes, those of the Loops around it multiplied. */
export const MAX_TRIPS = 1_000_000
/** Numbers that one node makes of constants, and all of them together. */
export const MAX_NUMBERS = 2 ** 25
export const MAX_NUMBERS_TOGETHER = 2 ** 27
/** The same where the weights' files are large: numbers for each of their bytes, as there are with weights of 2 bits. */
export const NUMBERS_PER_BYTE = 4
/** Most dims of a tensor. */
export const MAX_RANK = 64
