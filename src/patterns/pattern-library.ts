import { BASIC_PATTERNS } from './library/basic-patterns.ts';
import { MAIL_PATTERNS } from './library/mail-patterns.ts';
import { SECURITY_PATTERNS } from './library/security-patterns.ts';
import { TIME_PATTERNS } from './library/time-patterns.ts';
import { WEB_PATTERNS } from './library/web-patterns.ts';
import type { PatternDefinitions } from './pattern-set.ts';

/**
 * The patterns of the product: each is linear, which a test checks. Fields have OpenTelemetry's names where
 * it has one.
 */
export const PATTERN_LIBRARY: PatternDefinitions = {
  ...BASIC_PATTERNS,
  ...TIME_PATTERNS,
  ...WEB_PATTERNS,
  ...MAIL_PATTERNS,
  ...SECURITY_PATTERNS,
};
