const asText = (value: unknown): unknown => value

/** In the configuration of a query: its rows are lists of the texts that the server sent. */
export const ROWS_AS_TEXT = { rowMode: "array", types: { getTypeParser: () => asText } } as const
