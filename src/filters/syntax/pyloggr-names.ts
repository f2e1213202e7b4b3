import type { NameAliases } from '../../expressions/parse-expression.ts';

/**
 * The names of pyloggr's fields that have no other meaning in an expression. `source` is not one of them: it
 * is the path of the log file, as in a search.
 */
export const PYLOGGR_NAMES: NameAliases = new Map([
  ['app_name', 'service.name'],
  ['programname', 'service.name'],
  ['message', 'body'],
  ['procid', 'process.pid'],
  ['timereported', 'time'],
  ['timegenerated', 'observed_time'],
  // The record's own name, otherwise the one of the resource, as without brackets.
  ['attributes.host.name', 'host.name'],
  ['attributes.service.name', 'service.name'],
]);

export const FACILITY = 'facility';
export const FACILITY_CODE = 'syslog.facility.code';
