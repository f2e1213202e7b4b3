import type { LogEntry } from '../../../src/page/records/log-entry.ts';

const SERVICES = ['checkout', 'catalog', 'gateway', 'billing'] as const;
const ROUTES = ['/api/cart', '/api/orders', '/health', '/products/42', '/login'] as const;

/** Lines that attack whatever shows them. */
export const HOSTILE_BODIES: readonly string[] = [
  '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>',
  'user=\u202Egnp.exe\u202C admin\u200B',
  'nul \u0000 bell \u0007 escape \u001B]0;title\u0007 and \u001B[2J',
  '\u001B[31mred\u001B[0m \u001B[1;32mbold green\u001B[0m plain \u001B[8mconcealed\u001B[0m',
  'first line\n2026-01-01T00:00:00Z FATAL fake second line\r\nthird',
  `long ${'x'.repeat(1024 * 1024)} end`,
  '"><svg/onload=window.hacked=1> {{constructor.constructor("window.hacked=1")()}}',
];

/** Records of the last day, newest first; the same for the same time. */
export function mockRecords(count: number, nowMs: number): readonly LogEntry[] {
  return Array.from({ length: count }, (_, at) =>
    mockRecord(at, nowMs - at * Math.round(80_000_000 / count), count - at),
  );
}

export function mockRecord(at: number, timeMs: number, position: number): LogEntry {
  const service = SERVICES[(at * 7) % SERVICES.length] ?? 'checkout';
  const route = ROUTES[(at * 3) % ROUTES.length] ?? '/';
  const severity =
    at % 41 === 7
      ? 'error'
      : at % 17 === 3
        ? 'warn'
        : at % 211 === 100
          ? 'fatal'
          : at % 5 === 4
            ? 'debug'
            : 'info';
  const status = severity === 'error' ? 503 : severity === 'warn' ? 404 : 200;
  const time = new Date(timeMs).toISOString().replace('Z', `${String(at % 1000).padStart(3, '0')}Z`);
  const hostile = at % 150 === 12 ? HOSTILE_BODIES[Math.floor(at / 150) % HOSTILE_BODIES.length] : undefined;
  return {
    time,
    observedTime: time,
    severity: hostile === undefined ? severity : 'warn',
    severityNumber: { debug: 5, info: 9, warn: 13, error: 17, fatal: 21 }[severity],
    severityText: severity.toUpperCase(),
    host: `web-${(at % 3) + 1}`,
    service,
    source: `/var/log/${service}/app.log`,
    format: 'json',
    body: hostile ?? bodyOf(severity, route, status, at),
    attributes: {
      'http.request.method': at % 4 === 0 ? 'POST' : 'GET',
      'http.response.status_code': status,
      'url.path': route,
      duration_ms: (at * 37) % 900,
      user: { id: `u-${at % 50}`, roles: ['member'] },
    },
    stream: 'web-1/4f1c2a90-5b1e-4c0e-9a35-0d6c1f7a2b11',
    position,
  };
}

function bodyOf(severity: string, route: string, status: number, at: number): string {
  if (severity === 'error')
    return `upstream timed out after 30000 ms while reading response header: GET ${route} -> ${status}`;
  if (severity === 'warn') return `no route matches ${route}, answering ${status}`;
  if (severity === 'fatal') return 'out of memory: worker 7 killed, restarting';
  return `${at % 4 === 0 ? 'POST' : 'GET'} ${route} ${status} ${(at * 37) % 900} ms`;
}
