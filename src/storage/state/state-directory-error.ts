/** The owner of a state directory. */
export interface StateDirectoryOwner {
  readonly role: 'collector' | 'aggregator';
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
  /** The program and its command, such as `mega-collector status`. */
  readonly command: string;
}

/** Another process holds the directory. */
export class StateDirectoryBusyError extends Error {
  override readonly name = 'StateDirectoryBusyError';
  /** undefined when the owner is unknown. */
  readonly owner: StateDirectoryOwner | undefined;

  constructor(path: string, owner: StateDirectoryOwner | undefined) {
    const who =
      owner === undefined
        ? 'another process'
        : `the ${owner.role} with process id ${owner.pid} on ${owner.host}, since ${owner.since} (${owner.command})`;
    super(`The state directory ${path} is in use by ${who}`);
    this.owner = owner;
  }
}

/** This process owns the directory but cannot use it; the message describes the remedy. */
export class StateDirectoryUnusableError extends Error {
  override readonly name: string = 'StateDirectoryUnusableError';
}

/** The directory has a newer layout, belongs to the other role, or its version cannot be read. */
export class StateDirectoryVersionError extends StateDirectoryUnusableError {
  override readonly name = 'StateDirectoryVersionError';
}
