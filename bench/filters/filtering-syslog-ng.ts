import { type UnpackedPackages, unpackDebianPackages } from '../peers/debian-packages.ts';
import { startSyslogNg } from '../peers/start-syslog-ng.ts';
import { SYSLOG_NG_PACKAGES } from '../peers/syslog-ng.ts';
import { tailingSyslogNg } from '../peers/tailing-syslog-ng.ts';
import type { FilterContender, FilterCourse } from './filter-contender.ts';

interface OutputLine {
  readonly web: { readonly path: string; readonly status: string; readonly failed?: string };
}

/** Debian's syslog-ng: csv-parser as its guide parses an access log, a filter, a condition, and format-json. */
export function filteringSyslogNg(): FilterContender {
  let packages: UnpackedPackages | undefined;
  return {
    name: 'syslog-ng, csv-parser',
    key: 'syslog-ng-csv',
    async prepare() {
      packages = await unpackDebianPackages(SYSLOG_NG_PACKAGES);
      return packages.version;
    },
    async start(course) {
      if (packages === undefined) throw new Error('prepare() comes first');
      const { directory } = course;
      return await startSyslogNg(
        { name: 'filtering', directory, configuration: configuration(course) },
        packages,
      );
    },
    read(line) {
      const { path, status, failed } = (line as OutputLine).web;
      return { path, status: Number(status), isMarked: failed === '1' };
    },
  };
}

function configuration({ logDirectory, outputPath }: FilterCourse): string {
  return `${tailingSyslogNg(logDirectory)}
parser fields {
  csv-parser(
    columns("web.client", "web.ident", "web.user", "web.time", "request", "web.status", "web.size", "web.referer", "web.agent")
    delimiters(" ") quote-pairs('""[]') flags(escape-none)
  );
  csv-parser(columns("web.method", "web.path", "web.version") template("\${request}") delimiters(" ") flags(escape-none));
};
filter wanted { not match("/health" value("web.path") type(string) flags(prefix)); };
rewrite marked { set("1" value("web.failed") condition("\${web.status}" >= "500")); };
destination output { file("${outputPath}" template("$(format-json --key web.*)\\n")); };
log { source(tailed); parser(fields); filter(wanted); rewrite(marked); destination(output); flags(flow-control); };
`;
}
