import type { PatternDefinitions } from '../pattern-set.ts';

/** Logins, privileges and firewalls: the message after the syslog header. */
export const SECURITY_PATTERNS: PatternDefinitions = {
  SSHD_CLIENT: '(?:%{IPORHOST:client.address}) port %{POSINT:client.port:int}',
  SSHD_ACCEPTED:
    'Accepted (?<auth.method>[a-z/-]+) for %{NOTSPACE:user.name} from %{SSHD_CLIENT}(?: (?<network.protocol.name>ssh2?))?(?:: (?<ssh.key>.*))?',
  SSHD_FAILED:
    'Failed (?<auth.method>[a-z/-]+) for (?:(?<auth.reason>invalid user) )?(?<user.name>.*?) from %{SSHD_CLIENT}(?: (?<network.protocol.name>ssh2?))?',
  SSHD_INVALID_USER:
    '(?<auth.reason>Invalid user) (?<user.name>.*?) from (?:%{IPORHOST:client.address})(?: port %{POSINT:client.port:int})?',
  SSHD_DISCONNECT:
    '(?:Received disconnect from|Disconnected from|Connection closed by|Connection reset by) ' +
    String.raw`(?:(?:authenticating |invalid )?user (?<user.name>\S*) )?(?:%{IP:client.address})(?: port %{POSINT:client.port:int})?(?: ?\[(?<ssh.stage>preauth)\])?`,
  SSHD_SESSION: String.raw`pam_unix\(sshd:session\): session (?<session.action>opened|closed) for user (?<user.name>[^\s(]+)`,
  SSHD_NORMAL: '%{SSHD_ACCEPTED}|%{SSHD_SESSION}|%{SSHD_DISCONNECT}',
  SSHD_SECURITY:
    '%{SSHD_FAILED}|%{SSHD_INVALID_USER}' +
    String.raw`|(?<auth.reason>Did not receive identification string|Bad protocol version identification[^']*'[^']*'|Unable to negotiate) (?:from|with) (?:%{IP:client.address})(?: port %{POSINT:client.port:int})?` +
    String.raw`|(?<auth.reason>maximum authentication attempts exceeded|Too many authentication failures) for (?:invalid user )?(?<user.name>\S*)(?: from %{SSHD_CLIENT})?` +
    String.raw`|reverse mapping checking getaddrinfo for (?<client.domain>\S+) \[(?:%{IP:client.address})\] failed`,
  SUDO_COMMAND: String.raw`(?:TTY=(?<process.tty>\S+) ; )?PWD=(?<process.working_directory>[^;]*) ; USER=(?<user.effective.name>\S+) ;(?: GROUP=\S+ ;)?(?: ENV=[^;]* ;)? COMMAND=(?<process.command_line>.*)`,
  SUDO_NORMAL: '(?<user.name>%{USERNAME}) : %{SUDO_COMMAND}',
  SUDO_SECURITY:
    '(?<user.name>%{USERNAME}) : (?<auth.reason>command not allowed|user NOT in sudoers|user NOT authorized on host|[0-9]+ incorrect password attempts?|a password is required|[^;=]*) ; %{SUDO_COMMAND}' +
    String.raw`|pam_unix\(sudo:auth\): (?<auth.reason>authentication failure|conversation failed)(?:.* user=(?<user.name>\S+))?`,
  SU_SESSION: String.raw`(?:Successful|FAILED) su for (?<user.effective.name>\S+) by (?<user.name>\S+)`,
  PAM_FAILURE: String.raw`pam_unix\((?<pam.service>[^:)]+):(?<pam.stage>[^)]+)\): authentication failure;.*? ruser=(?<pam.remote_user>\S*) rhost=(?<client.address>\S*)(?: +user=(?<user.name>\S+))?`,
  PAM_SESSION: String.raw`pam_unix\((?<pam.service>[^:)]+):session\): session (?<session.action>opened|closed) for user (?<user.name>[^\s(]+)`,
  CRON_COMMAND: String.raw`\((?<user.name>[^)]*)\) (?<cron.action>[A-Z]+) \((?<process.command_line>.*)\)`,
  NETFILTER:
    String.raw`IN=(?<network.interface.in>\S*) OUT=(?<network.interface.out>\S*)(?: PHYS\w+=\S*)*(?: MAC=(?<source.mac>\S*))? SRC=%{IP:source.address} DST=%{IP:destination.address}.*? ` +
    String.raw`PROTO=(?<network.transport>\w+)(?: SPT=%{INT:source.port:int} DPT=%{INT:destination.port:int})?`,
  IPTABLES: String.raw`(?:\[ *[0-9.]+\] *)?(?<firewall.rule>.*?)%{NETFILTER}`,
  SHOREWALL: String.raw`(?:\[ *[0-9.]+\] *)?Shorewall:(?<firewall.chain>[^:]+):(?<firewall.action>[^:]+):%{NETFILTER}`,
  UFW: String.raw`(?:\[ *[0-9.]+\] *)?\[UFW (?<firewall.action>[A-Z ]+)\] %{NETFILTER}`,
  CISCO_TAG: '%(?<cisco.facility>[A-Z0-9_]+)-(?<cisco.severity>[0-7])-(?<cisco.mnemonic>[A-Z0-9_]+)',
  CISCO_ASA: '%{CISCO_TAG}: %{GREEDYDATA:message}',
  CISCO_ENDPOINT: String.raw`(?:[^\s:/]+):(?:%{IP:source.address})/%{INT:source.port:int}`,
  CISCO_ASA_DENY: String.raw`%{CISCO_TAG}: (?<firewall.action>Deny|Permitted) (?<network.transport>\w+) src %{CISCO_ENDPOINT}(?:\([^)]*\))? dst [^\s:/]+:(?:%{IP:destination.address})/%{INT:destination.port:int}`,
  FAIL2BAN: String.raw`\[(?<fail2ban.jail>[^\]]+)\] (?<fail2ban.action>Ban|Unban|Found|Restore Ban) (?:%{IP:client.address})`,
};
