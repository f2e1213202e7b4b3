import { z } from 'zod';
import { HttpError } from '../../../runtime/http/http-error.ts';
import type { ExplainResult } from '../../intake/activity/collector-register.ts';

/** The collector decides about the fields. */
const explanation = z.looseObject({});

/** The answer of a collector to an API client. Throws HttpError when there is none. */
export function explanationOf(result: ExplainResult): z.infer<typeof explanation> {
  switch (result.kind) {
    case 'explained':
      return parsed(result.json);
    case 'refused':
      throw new HttpError(409, 'conflict', result.reason);
    case 'unknown':
      throw new HttpError(
        404,
        'not-found',
        'Cannot ask the collector: no collector with this id has connected.',
      );
    case 'disconnected':
      throw new HttpError(
        409,
        'conflict',
        'Cannot ask the collector: it is not connected to this aggregator.',
      );
    case 'busy':
      throw new HttpError(429, 'busy', 'The collector is answering another request. Try again.', {
        headers: { 'retry-after': '1' },
      });
    case 'timed-out':
      throw new HttpError(504, 'timeout', 'The collector did not answer in time.');
  }
}

function parsed(json: string): z.infer<typeof explanation> {
  try {
    return explanation.parse(JSON.parse(json));
  } catch {
    throw new HttpError(
      409,
      'conflict',
      'The collector answered with an explanation that is not a JSON object.',
    );
  }
}
