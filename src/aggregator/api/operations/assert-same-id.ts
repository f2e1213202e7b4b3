import { HttpError } from '../../../runtime/http/http-error.ts';

/** The id of a definition never changes: other definitions and pages refer to it. Throws HttpError. */
export function assertSameId(ofPath: string, ofBody: string): void {
  if (ofPath === ofBody) return;
  const problems = [{ path: 'id', message: `must be the id in the path, ${ofPath}` }];
  throw new HttpError(400, 'invalid-request', 'Cannot change the id of a definition.', { problems });
}
