import { combined } from './combined.ts';
import { containerFormat } from './containers/container-format.ts';
import { criLine } from './containers/cri-line.ts';
import { dockerJsonLine } from './containers/docker-json-line.ts';
import { access } from './described/access.ts';
import type { Format } from './format.ts';
import { httpFormat } from './http/http.ts';
import { elasticsearch } from './http/http-elasticsearch.ts';
import { lokiFormat } from './http/http-loki.ts';
import { splunkFormat } from './http/http-splunk.ts';
import { journald } from './journald.ts';
import { json } from './json.ts';
import { logfebe } from './logfebe.ts';
import { logfmt } from './logfmt.ts';
import { otlp } from './otlp.ts';
import { plain } from './plain.ts';
import { postgresCsvlog } from './postgres-csvlog.ts';
import { postgresJsonlog } from './postgres-jsonlog.ts';
import { syslog } from './syslog/syslog.ts';
import { apacheError } from './web/apache-error.ts';
import { nginxError } from './web/nginx-error.ts';

const cri = containerFormat(criLine, {
  description: 'Logs that containerd and CRI-O write for Kubernetes; JSON in the message is read.',
  formatNamed: (name) => formatNamed(name),
});

const dockerJson = containerFormat(dockerJsonLine, {
  description: "Logs of Docker's driver `json-file`; JSON in the message is read.",
  formatNamed: (name) => formatNamed(name),
});

const named = (name: string) => formatNamed(name);

/** All formats. */
export const formats: readonly Format[] = [
  plain,
  combined,
  access,
  json,
  cri,
  dockerJson,
  syslog,
  journald,
  otlp,
  httpFormat(named),
  elasticsearch,
  lokiFormat(named),
  splunkFormat(named),
  logfmt,
  nginxError,
  apacheError,
  logfebe,
  postgresCsvlog,
  postgresJsonlog,
];

const byName: ReadonlyMap<string, Format> = new Map(formats.map((format) => [format.name, format]));

/** The format of this name; `plain` for unknown names, which a newer collector may send. */
export function formatNamed(name: string): Format {
  return byName.get(name) ?? plain;
}
