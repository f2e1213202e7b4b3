import { CommanderError } from 'commander';
import { ConfigurationError } from '../runtime/configuration/configuration-error.ts';
import { errorMessage } from '../runtime/error-message.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './output/exit-codes.ts';

/** The exit code for this error and the message to print. undefined: the message is printed already. */
export function describeFailure(error: unknown): { readonly exitCode: number; readonly message?: string } {
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage };
  if (error instanceof ConfigurationError) {
    return { exitCode: EXIT.configuration, message: configurationMessage(error) };
  }
  const exitCode = error instanceof CommandError ? error.exitCode : EXIT.failure;
  if (isInternalError(error))
    return { exitCode, message: `This is a bug in mega-collector.\n${error.stack}` };
  return { exitCode, message: errorMessage(error) };
}

function configurationMessage({ problems }: ConfigurationError): string {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map(({ variable, message }) => `\n  ${variable}: ${message}`);
  return `The configuration has ${count}:${lines.join('')}`;
}

const BUGS = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Errors that only a mistake in our code throws; all others have a message that a person can act on. */
export function isInternalError(error: unknown): error is Error {
  return BUGS.some((type) => error instanceof type);
}
