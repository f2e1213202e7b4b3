import { join } from 'node:path';
import { ACCESS_LOG_RULE } from '../peers/access-log-rule.ts';
import { type UnpackedPackages, unpackDebianPackages } from '../peers/debian-packages.ts';
import { RSYSLOG_PACKAGES } from '../peers/rsyslog.ts';
import { startRsyslog } from '../peers/start-rsyslog.ts';
import type { FilterContender, FilterCourse } from './filter-contender.ts';

const NAME = 'filtering';
const FIELDS = ['client', 'ident', 'user', 'time', 'method', 'path', 'version', 'status', 'size'] as const;
const TEXTS = ['referer', 'agent', 'failed'] as const;

/** A value is absent if the text is empty. */
type OutputLine = Readonly<
  Record<(typeof FIELDS)[number], string> & Partial<Record<(typeof TEXTS)[number], string>>
>;

/** Debian's rsyslog: a rule of liblognorm (mmnormalize), conditions, and a template of JSON. */
export function filteringRsyslog(): FilterContender {
  let packages: UnpackedPackages | undefined;
  return {
    name: 'rsyslog, mmnormalize',
    key: 'rsyslog-mmnormalize',
    async prepare() {
      packages = await unpackDebianPackages(RSYSLOG_PACKAGES);
      return packages.version;
    },
    async start(course) {
      if (packages === undefined) throw new Error('prepare() comes first');
      const { directory } = course;
      return await startRsyslog({ name: NAME, directory, configuration: configuration(course) }, packages);
    },
    read(line) {
      const { path, status, failed } = line as OutputLine;
      return { path, status: Number(status), isMarked: failed === '1' };
    },
  };
}

function configuration({ directory, logDirectory, outputPath }: FilterCourse): string {
  const properties = [...FIELDS, ...TEXTS].map(
    (name) => `property(outname="${name}" name="$!${name}" format="jsonf" onEmpty="skip")`,
  );
  return `
global(
  workDirectory="${join(directory, NAME)}"
  maxMessageSize="64k"
  net.enableDNS="off"
  parser.escapeControlCharactersOnReceive="off"
  processInternalMessages="off"
)
module(load="imfile" mode="inotify")
module(load="mmnormalize")
template(name="json" type="list" option.jsonf="on") {
  ${properties.join('\n  ')}
}
input(
  type="imfile" file="${logDirectory}/*.log" tag="log" ruleset="filter"
  addMetadata="off" readTimeout="0"
  persistStateInterval="20000"
)
# One queue and one worker: order is kept. Large batches: few lock operations a message.
ruleset(
  name="filter"
  queue.type="FixedArray"
  queue.size="200000"
  queue.dequeueBatchSize="4096"
  queue.workerThreads="1"
  queue.timeoutEnqueue="600000"
) {
  action(type="mmnormalize" rule=${ACCESS_LOG_RULE})
  if $!path startswith "/health" then stop
  if cnum($!status) >= 500 then { set $!failed = "1"; }
  action(type="omfile" file="${outputPath}" template="json" ioBufferSize="1m" flushOnTXEnd="on" asyncWriting="off")
}
`;
}
