/** All problems of the configuration together. The process prints it and exits with 78. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    super(problems.map(({ variable, message }) => `${variable}: ${message}`).join('\n'));
    this.problems = problems;
  }
}

/** One problem of the configuration: the variable, the expected and the found value; never a secret. */
export interface ConfigurationProblem {
  /** `AGGREGATOR_MAX_BATCH_SIZE`, or for a part of a JSON value `AGGREGATOR_FILE_CONFIGURATION.path`. */
  readonly variable: string;
  readonly message: string;
}
