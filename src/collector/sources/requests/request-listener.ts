/** Listens at one address for requests. */
export interface RequestListener {
  readonly connections: number;
  /** Resolves with the address. Rejects with the system's error. */
  open(): Promise<string>;
  /** Accepts no further requests; current ones are answered until the deadline. */
  close(deadline: AbortSignal): Promise<void>;
}
