/** The common attributes of access logs, which have a column of their own in a store. */
export interface AttributeColumn {
  /** OpenTelemetry's name. */
  readonly attribute: string;
  readonly column: string;
  readonly type: 'text' | 'smallint' | 'bigint';
}

export const ATTRIBUTE_COLUMNS = [
  { attribute: 'client.address', column: 'client_address', type: 'text' },
  { attribute: 'user.name', column: 'user_name', type: 'text' },
  { attribute: 'http.request.method', column: 'http_request_method', type: 'text' },
  { attribute: 'url.path', column: 'url_path', type: 'text' },
  { attribute: 'network.protocol.version', column: 'network_protocol_version', type: 'text' },
  { attribute: 'http.response.status_code', column: 'http_response_status_code', type: 'smallint' },
  { attribute: 'http.response.body.size', column: 'http_response_body_size', type: 'bigint' },
] as const satisfies readonly AttributeColumn[];
