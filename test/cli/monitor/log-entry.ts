import type { LogEntry } from '../../../src/logstore/logs/log-requests.ts';

/** As the API answers it. */
export function logEntry(position: number, more: Partial<LogEntry> = {}): LogEntry {
  return {
    time: `2026-01-31T10:00:${String(position % 60).padStart(2, '0')}.120450Z`,
    observedTime: '2026-01-31T10:00:00.500000Z',
    severity: 'info',
    severityNumber: 9,
    severityText: 'INFO',
    host: 'web-1',
    service: 'shop',
    source: '/var/log/shop.log',
    format: 'json',
    body: `record ${position}`,
    attributes: {},
    stream: '01234567-89ab-cdef-0123-456789abcdef',
    position,
    ...more,
  };
}
