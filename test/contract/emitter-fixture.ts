/** What the contract test needs to know of a type of emitter, to try it. */
export interface EmitterFixture {
  /** As in the registry. */
  readonly type: string;
  /** What is not installed here, in words: its tests are skipped, by name. */
  readonly missing?: string;
  /** A destination for one test; it cleans up after itself. */
  open(): Promise<Destination>;
}

export interface Destination {
  /** A value for the type's variable that configures one emitter to write here. */
  readonly value: string;
  /** Where the emitter's standard output goes, when it matters. */
  readonly stdout?: NodeJS.WritableStream;
  /**
   * The bodies that are here now, in the order they came, as text. Bodies in these tests hold no line breaks.
   * Absent: the destination keeps nothing.
   */
  bodies?(): Promise<readonly string[]>;
  /** Makes the destination refuse what it is given, until the function returned is called. */
  refuse?(): Promise<() => Promise<void>>;
}
