import { expect, it } from 'vitest';
import { previewSeconds } from '../../../src/page/alerts/preview-seconds.ts';

it('a preview shows a day, and less of a metric with short intervals', () => {
  expect(previewSeconds({ windowSeconds: '300' }, undefined)).toBe(86_400);
  expect(previewSeconds({ windowSeconds: '300' }, 60)).toBe(86_400);
  expect(previewSeconds({ windowSeconds: '300' }, 10)).toBe(19_600);
  expect(previewSeconds({ windowSeconds: '86400' }, 10)).toBe(100);
});
