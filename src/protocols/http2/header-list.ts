/** Names are in lower case. Pseudo-headers (`:path`) come first. */
export type HeaderList = readonly Header[];

export type Header = readonly [name: string, value: string];

/** The value of the first header with this name. */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([found]) => found === name)?.[1];
}
