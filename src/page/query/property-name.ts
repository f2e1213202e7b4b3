const PLAIN = /^[\p{L}_@$][\p{L}\p{N}_@$/-]*(?:\.[\p{L}\p{N}_@$/-]+)*$/u;
const RESERVED = new Set(['and', 'or', 'not', 'in', 'exists', 'true', 'false']);
/** Names that mean a column, or another attribute, when they stand alone. */
const COLUMNS = new Set([
  'time',
  'ts',
  'observed_time',
  'severity',
  'severity_text',
  'host.name',
  'service.name',
  'source',
  'format',
  'body',
  'host',
  'ruser',
  'request_method',
  'request_route',
  'request_proto',
  'status_code',
  'response_bsize',
  'indent_logname',
  'section',
  'attributes',
  'resource',
]);

/** The short names of access logs in expressions, and the attributes that they mean. */
const SHORT_NAMES = new Map([
  ['host', 'client.address'],
  ['indent_logname', 'megacollector.ident'],
  ['ruser', 'user.name'],
  ['request_method', 'http.request.method'],
  ['request_route', 'url.path'],
  ['status_code', 'http.response.status_code'],
  ['response_bsize', 'http.response.body.size'],
  ['service', 'service.name'],
  ['log.file.path', 'source'],
]);

/** The name under which the fields of the found records list a property: `status_code` has another there. */
export function listedProperty(property: string): string {
  return SHORT_NAMES.get(property) ?? property;
}

/** How an expression names an attribute. */
export function attributeProperty(name: string): string {
  if (!PLAIN.test(name) || RESERVED.has(name)) return `[${JSON.stringify(name)}]`;
  return COLUMNS.has(name) || /^(?:attributes|resource)\./.test(name) ? `attributes.${name}` : name;
}

/** A part of a nested attribute: `order.items[0].sku`. */
export function nestedProperty(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`;
  return PLAIN.test(key) && !parent.endsWith(')') ? `${parent}.${key}` : `${parent}[${JSON.stringify(key)}]`;
}

const IN_BRACKETS = /^\['([^'\\]*)'\]$/;
const BRACKETED = /^(?:\[(?:'[^'\\]*'|"[^"\\]*")\]){2,}$/;

/**
 * `['http']['route']` is written as `http.route`, which also finds the attribute with this name. A name in single
 * quotes is written as the record's fields have it, so that both are the same condition and the same column.
 */
export function readableProperty(property: string): string {
  const [, single] = IN_BRACKETS.exec(property) ?? [];
  if (single !== undefined) return attributeProperty(single);
  if (!BRACKETED.test(property)) return property;
  const names = [...property.matchAll(/\[['"]([^'"]*)['"]\]/g)].map(([, name = '']) => name);
  const path = names.join('.');
  return names.every((name) => !name.includes('.')) && attributeProperty(path) === path ? path : property;
}
