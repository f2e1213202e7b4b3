import type { PatternDefinitions } from '../pattern-set.ts';

/** Web servers and proxies, with OpenTelemetry's names of attributes. */
export const WEB_PATTERNS: PatternDefinitions = {
  HTTPDUSER: '%{EMAILADDRESS}|%{USER}',
  HTTP_METHOD: String.raw`\b[A-Z]+\b`,
  HTTP_REQUEST_LINE: String.raw`(?:%{HTTP_METHOD:http.request.method} %{NOTSPACE:url.original}(?: HTTP/%{NUMBER:network.protocol.version})?|(?:[^"\\]|\\.)*)`,
  COMMONAPACHELOG:
    String.raw`(?:%{IPORHOST:client.address}) (?:%{NOTSPACE:megacollector.ident}) (?:-|%{HTTPDUSER:user.name}) \[%{HTTPDATE:timestamp}\] ` +
    String.raw`"%{HTTP_REQUEST_LINE}" (?:-|%{INT:http.response.status_code:int}) (?:-|%{INT:http.response.body.size:int})`,
  COMBINEDAPACHELOG: String.raw`%{COMMONAPACHELOG} "(?:-|(?<http.request.header.referer>(?:[^"\\]|\\.)*))" "(?:-|(?<user_agent.original>(?:[^"\\]|\\.)*))"`,
  HTTPD_ERRORLOG:
    String.raw`\[%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}\] \[(?:%{WORD:apache.module})?:?%{LOGLEVEL:log.level}\] ` +
    String.raw`(?:\[pid %{POSINT:process.pid:int}(?::tid %{NOTSPACE:thread.id})?\] )?(?:\[client %{IPORHOST:client.address}(?::%{POSINT:client.port:int})?\] )?%{GREEDYDATA:message}`,
  NGINX_ACCESS: '%{COMBINEDAPACHELOG}',
  NGINX_ERROR:
    String.raw`(?<timestamp>%{YEAR}/%{MONTHNUM}/%{MONTHDAY} %{TIME}) \[%{LOGLEVEL:log.level}\] %{POSINT:process.pid:int}#%{NONNEGINT:thread.id:int}: ` +
    String.raw`(?:\*%{NONNEGINT:nginx.connection.id:int} )?(?<message>[^,]*)(?:, client: %{IPORHOST:client.address})?(?:, server: (?<server.address>[^,]*))?` +
    String.raw`(?:, request: "%{HTTP_REQUEST_LINE}")?(?:, upstream: "(?<nginx.upstream>[^"]*)")?(?:, host: "(?<http.request.header.host>[^"]*)")?`,
  HAPROXY_HTTP:
    String.raw`%{IP:client.address}:%{POSINT:client.port:int} \[(?<timestamp>[^\]]+)\] %{NOTSPACE:haproxy.frontend} (?<haproxy.backend>[^/\s]+)/%{NOTSPACE:haproxy.server} ` +
    String.raw`(?<haproxy.timers>[0-9+/-]+) %{INT:http.response.status_code:int} \+?%{INT:http.response.body.size:int} \S+ \S+ (?<haproxy.termination>\S+) ` +
    String.raw`(?<haproxy.connections>[0-9+/]+) (?<haproxy.queue>[0-9/]+) (?:\{[^}]*\} ){0,2}"%{HTTP_REQUEST_LINE}"`,
  SQUID_ACCESS:
    String.raw`%{UNIXTIME:timestamp} +%{INT:squid.duration:int} %{IPORHOST:client.address} (?<squid.result>[A-Z_]+)/%{INT:http.response.status_code:int} ` +
    String.raw`%{INT:http.response.body.size:int} %{HTTP_METHOD:http.request.method} %{NOTSPACE:url.original}`,
};
