/** Describes an emitter type for the contract test. */
export interface EmitterFixture {
  /** As in the registry. */
  readonly type: string;
  /** Of several fixtures of a type: what is different here, for the name of the tests. */
  readonly variant?: string;
  /** Names a missing requirement of this machine; its tests are then skipped. */
  readonly missing?: string;
  /** Registers hooks for all tests of this type, such as the start of a server. */
  prepare?(): void;
  /** A destination for one test; cleans up when the test ends. */
  open(): Promise<Destination>;
}

export interface Destination {
  /** A value for the type's variable that configures one emitter for this destination. */
  readonly value: string;
  /** The emitter's standard output, if the test needs it. */
  readonly stdout?: NodeJS.WritableStream;
  /**
   * The bodies that the destination has now, in order of arrival, as text. Bodies in these tests contain no
   * line breaks. Absent if the destination stores nothing.
   */
  bodies?(): Promise<readonly string[]>;
  /** The destination keeps no order of arrival. */
  readonly hasNoOrder?: true;
  /** Makes the destination refuse records until the returned function is called. */
  refuse?(): Promise<() => Promise<void>>;
}
