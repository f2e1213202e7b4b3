import type { PatternDefinitions } from '../pattern-set.ts';

/** Mail servers: the message after the syslog header. */
export const MAIL_PATTERNS: PatternDefinitions = {
  POSTFIX_QUEUEID: String.raw`\b(?:[0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,})\b`,
  POSTFIX_CLIENT: String.raw`(?<client.domain>[^\s\[]+)\[(?:%{IP:client.address}|unknown)\](?::%{POSINT:client.port:int})?`,
  POSTFIX_CONNECT: 'connect from %{POSTFIX_CLIENT}',
  POSTFIX_DISCONNECT:
    '(?:lost connection after (?<smtp.stage>[A-Z-]+)|disconnect|timeout after (?<smtp.stage>[A-Z-]+)) from %{POSTFIX_CLIENT}',
  POSTFIX_RECEIVED:
    '%{POSTFIX_QUEUEID:email.queue_id}: client=%{POSTFIX_CLIENT}(?:, sasl_method=(?<auth.method>[^,]+))?(?:, sasl_username=(?<user.name>[^,]+))?',
  POSTFIX_CLEANUP: '%{POSTFIX_QUEUEID:email.queue_id}: (?:resent-)?message-id=<?(?<email.message_id>[^>]*)>?',
  POSTFIX_QUEUED:
    '%{POSTFIX_QUEUEID:email.queue_id}: from=<(?<email.from>[^>]*)>, size=%{INT:email.size:int}, nrcpt=%{INT:email.recipients:int}',
  POSTFIX_REMOVED: '%{POSTFIX_QUEUEID:email.queue_id}: (?<postfix.action>removed)',
  POSTFIX_DELIVERY:
    String.raw`%{POSTFIX_QUEUEID:email.queue_id}: to=<(?<email.to>[^>]*)>,(?: orig_to=<(?<email.original_to>[^>]*)>,)? ` +
    String.raw`relay=(?<email.relay>[^,]+),(?: conn_use=[0-9]+,)? delay=%{NUMBER:email.delay:float}, delays=(?<email.delays>[0-9./]+), ` +
    String.raw`dsn=(?<email.dsn>[0-9.]+), status=(?<email.status>[a-z]+) \((?<message>.*)\)`,
  POSTFIX_REJECT:
    String.raw`(?:NOQUEUE|%{POSTFIX_QUEUEID:email.queue_id}): (?<postfix.action>reject|reject_warning): (?<smtp.stage>[A-Z]+) from %{POSTFIX_CLIENT}: ` +
    String.raw`(?<smtp.code>[0-9]{3}) (?<email.dsn>[0-9.]+ )?(?<message>[^;]*)(?:; from=<(?<email.from>[^>]*)>)?(?: to=<(?<email.to>[^>]*)>)?(?: proto=(?<network.protocol.name>\S+))?(?: helo=<(?<smtp.helo>[^>]*)>)?`,
  POSTFIX_ERRORS: '(?<log.level>warning|error|fatal|panic): %{GREEDYDATA:message}',
  POSTFIX:
    '%{POSTFIX_DELIVERY}|%{POSTFIX_QUEUED}|%{POSTFIX_RECEIVED}|%{POSTFIX_CLEANUP}|%{POSTFIX_REMOVED}|%{POSTFIX_REJECT}|%{POSTFIX_CONNECT}|%{POSTFIX_DISCONNECT}',
  DOVECOT_SESSION: String.raw`(?:user=<(?<user.name>[^>]*)>, )?(?:method=(?<auth.method>[A-Z0-9-]+), )?rip=%{IP:client.address}, lip=%{IP:server.address}(?:, mpid=%{POSINT:process.pid:int})?(?:, (?<network.protocol.name>TLS|secured))?`,
  DOVECOT_NORMAL:
    '(?<dovecot.service>imap|pop3|managesieve|submission)-login: (?:Login|Info: Login): %{DOVECOT_SESSION}' +
    String.raw`|(?<dovecot.service>imap|pop3)\((?<user.name>[^)]*)\)(?:<[^>]*>)*: (?<message>.*)`,
  DOVECOT_SECURITY:
    String.raw`(?<dovecot.service>imap|pop3|managesieve|submission)-login: (?:Info: )?(?<message>(?:Disconnected|Aborted login|Login aborted|Too many invalid commands)[^:]*(?:\([^)]*\))?[^:]*): %{DOVECOT_SESSION}` +
    String.raw`|auth(?:-worker)?(?:\([0-9]+\))?: (?:Info: )?\w+\((?<user.name>[^,)]*),%{IP:client.address}[^)]*\): (?<message>.*)`,
  SPAMD_RESULT: String.raw`spamd: result: (?<spam.result>[Y.]) +(?<spam.score>-?[0-9]+) - (?<spam.tests>\S*) scantime=%{NUMBER:spam.scan_time:float},size=%{INT:email.size:int}`,
};
