/**
 * The short names of access log columns that people know, and the attributes of `combined` that they name.
 * `ts` is the record's time.
 */
export interface AccessLogAlias {
  readonly alias: string;
  readonly attribute: string;
  /** Prefix of the short name's values that the attribute's values do not have. */
  readonly prefix?: string;
}

export const ACCESS_LOG_ALIASES: readonly AccessLogAlias[] = [
  { alias: 'host', attribute: 'client.address' },
  { alias: 'indent_logname', attribute: 'megacollector.ident' },
  { alias: 'ruser', attribute: 'user.name' },
  { alias: 'request_method', attribute: 'http.request.method' },
  // Without the query, which is `url.query`: requests are grouped by route.
  { alias: 'request_route', attribute: 'url.path' },
  { alias: 'request_proto', attribute: 'network.protocol.version', prefix: 'HTTP/' },
  { alias: 'status_code', attribute: 'http.response.status_code' },
  { alias: 'response_bsize', attribute: 'http.response.body.size' },
];
