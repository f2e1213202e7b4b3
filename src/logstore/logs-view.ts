import { ATTRIBUTE_COLUMNS, LOG_TABLE } from './log-columns.ts';

export const LOGS_VIEW = 'logs';

/**
 * Incremented with every change of the view. A store replaces an older view when it starts, and keeps a newer
 * one.
 */
const VERSION = 2;
/** The comment of the view that this version creates. */
export const LOGS_VIEW_COMMENT = `mega-collector view ${VERSION}`;
const COMMENT = /^mega-collector view (\d{1,9})$/;

const RECORD_COLUMNS =
  'time, observed_time, severity_number, severity_text, host, service, source, format, body';
const COLUMNS = ATTRIBUTE_COLUMNS.map(({ column }) => column).join(', ');

/**
 * Creates the view `logs` for people who use SQL: the columns of `log_records`, with all attributes of a
 * record together in `attributes`. `attributes`: the expression for these in the SQL of the back end.
 *
 * New columns come last, because PostgreSQL can add columns to a view only there.
 */
export function logsViewStatements(attributes: string): readonly string[] {
  return [
    `create or replace view ${LOGS_VIEW} as
       select ${RECORD_COLUMNS}, ${attributes} as attributes, stream, position, ${COLUMNS} from ${LOG_TABLE}`,
    `comment on view ${LOGS_VIEW} is '${LOGS_VIEW_COMMENT}'`,
  ];
}

/**
 * `comment`: the comment of the view in the store; null: there is none, as in the first version of the view,
 * or no view.
 */
export function isLogsViewOutdated(comment: string | null): boolean {
  return Number(COMMENT.exec(comment ?? '')?.[1] ?? 0) < VERSION;
}
