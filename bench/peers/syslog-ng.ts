import type { Contender, Course } from '../contender.ts';
import { untilListening } from '../until-listening.ts';
import { type UnpackedPackages, unpackDebianPackages } from './debian-packages.ts';
import { startSyslogNg } from './start-syslog-ng.ts';
import { tailingSyslogNg } from './tailing-syslog-ng.ts';

export const SYSLOG_NG_PACKAGES = ['syslog-ng-core'] as const;

/**
 * Debian's syslog-ng, tuned as its administration guide advises: large fetches and windows, no parsing, flow
 * control.
 */
export function syslogNg(): Contender {
  let packages: UnpackedPackages | undefined;
  return {
    name: 'syslog-ng, TCP',
    key: 'syslog-ng',
    async prepare() {
      packages = await unpackDebianPackages(SYSLOG_NG_PACKAGES);
      return packages.version;
    },
    async start(course) {
      if (packages === undefined) throw new Error('prepare() comes first');
      const { directory } = course;
      const receiver = await startSyslogNg(
        { name: 'receiver', directory, configuration: receiverConfiguration(course) },
        packages,
      );
      await untilListening(course.receiverPort, receiver);
      const sender = await startSyslogNg(
        { name: 'sender', directory, configuration: senderConfiguration(course) },
        packages,
      );
      return { sender, receiver };
    },
  };
}

function senderConfiguration({ logDirectory, connectPort }: Course): string {
  return `${tailingSyslogNg(logDirectory)}
destination receiver {
  network("127.0.0.1" port(${connectPort}) transport("tcp") template("$MSG\\n") so-sndbuf(4194304));
};
log { source(tailed); destination(receiver); flags(flow-control); };
`;
}

function receiverConfiguration({ receiverPort, outputPath }: Course): string {
  return `source sender {
  network(
    ip("127.0.0.1") port(${receiverPort}) transport("tcp")
    flags(no-parse)
    log-fetch-limit(1000) log-iw-size(100000) max-connections(10) so-rcvbuf(4194304)
  );
};
destination output { file("${outputPath}" template("$MSG\\n")); };
log { source(sender); destination(output); flags(flow-control); };
`;
}
