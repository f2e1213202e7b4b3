import { ATTRIBUTE_COLUMNS, LOG_COLUMNS, RECORD_COLUMNS } from '../../logstore/log-columns.ts';
import type { ChunkColumn } from './row-chunk.ts';

/** The columns of `log_records` in a data chunk of DuckDB, and the index of each. */
const CELL_BYTES = { timestamptz: 8, smallint: 2, bigint: 8, text: 16, json: 16, uuid: 16 } as const;

export const LAYOUT: readonly ChunkColumn[] = [...RECORD_COLUMNS, ...ATTRIBUTE_COLUMNS].map(({ type }) => ({
  cellBytes: CELL_BYTES[type],
  isText: type === 'text' || type === 'json',
}));

export const TIME = LOG_COLUMNS.indexOf('time');
export const OBSERVED_TIME = LOG_COLUMNS.indexOf('observed_time');
export const SEVERITY_NUMBER = LOG_COLUMNS.indexOf('severity_number');
export const SEVERITY_TEXT = LOG_COLUMNS.indexOf('severity_text');
export const HOST = LOG_COLUMNS.indexOf('host');
export const SERVICE = LOG_COLUMNS.indexOf('service');
export const SOURCE = LOG_COLUMNS.indexOf('source');
export const FORMAT = LOG_COLUMNS.indexOf('format');
export const BODY = LOG_COLUMNS.indexOf('body');
export const ATTRIBUTES = LOG_COLUMNS.indexOf('attributes');
export const STREAM = LOG_COLUMNS.indexOf('stream');
export const POSITION = LOG_COLUMNS.indexOf('position');
export const FIRST_ATTRIBUTE = RECORD_COLUMNS.length;

export const CLIENT = LOG_COLUMNS.indexOf('client_address');
export const USER = LOG_COLUMNS.indexOf('user_name');
export const METHOD = LOG_COLUMNS.indexOf('http_request_method');
export const PATH = LOG_COLUMNS.indexOf('url_path');
export const VERSION = LOG_COLUMNS.indexOf('network_protocol_version');
export const STATUS = LOG_COLUMNS.indexOf('http_response_status_code');
export const SIZE = LOG_COLUMNS.indexOf('http_response_body_size');
