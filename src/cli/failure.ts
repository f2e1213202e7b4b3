import { CommanderError } from 'commander';
import { ConfigurationError } from '../runtime/configuration/configuration-error.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './output/exit-codes.ts';

/** How the process ends after this error, and what it says before. undefined: all is said already. */
export function failureOf(error: unknown): { readonly exitCode: number; readonly message?: string } {
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage };
  if (error instanceof ConfigurationError) {
    return { exitCode: EXIT.configuration, message: configurationMessage(error) };
  }
  const exitCode = error instanceof CommandError ? error.exitCode : EXIT.failure;
  if (isBug(error)) return { exitCode, message: `This is a bug in mega-collector.\n${error.stack}` };
  return { exitCode, message: error instanceof Error ? error.message : String(error) };
}

function configurationMessage({ problems }: ConfigurationError): string {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map(({ variable, message }) => `\n  ${variable}: ${message}`);
  return `The configuration has ${count}:${lines.join('')}`;
}

const BUGS = [TypeError, RangeError, ReferenceError, SyntaxError];

/** What only a mistake in our code throws; everything else has a message that a person can act on. */
export function isBug(error: unknown): error is Error {
  return BUGS.some((type) => error instanceof type);
}
