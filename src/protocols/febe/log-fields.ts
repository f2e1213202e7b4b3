/**
 * The 23 fields of an L payload, in order, without padding, integers big-endian. The layout is fixed by
 * logfebe-1; every PostgreSQL from 9.2 to 18 sends the same.
 *
 * - `text`: bytes up to a NUL; never null.
 * - `nullable`: one byte `N` or `P`, then bytes up to a NUL. After `N` the bytes have no meaning.
 */
export const LOG_FIELDS = [
  { name: 'LogTime', type: 'text' },
  { name: 'UserName', type: 'nullable' },
  { name: 'DatabaseName', type: 'nullable' },
  { name: 'Pid', type: 'int32' },
  { name: 'ClientAddr', type: 'nullable' },
  { name: 'SessionId', type: 'text' },
  { name: 'SeqNum', type: 'int64' },
  { name: 'PsDisplay', type: 'nullable' },
  { name: 'SessionStart', type: 'text' },
  { name: 'Vxid', type: 'nullable' },
  { name: 'Txid', type: 'uint64' },
  { name: 'ELevel', type: 'int32' },
  { name: 'SQLState', type: 'nullable' },
  { name: 'ErrMessage', type: 'nullable' },
  { name: 'ErrDetail', type: 'nullable' },
  { name: 'ErrHint', type: 'nullable' },
  { name: 'InternalQuery', type: 'nullable' },
  { name: 'InternalQueryPos', type: 'int32' },
  { name: 'ErrContext', type: 'nullable' },
  { name: 'UserQuery', type: 'nullable' },
  { name: 'UserQueryPos', type: 'int32' },
  { name: 'FileErrPos', type: 'nullable' },
  { name: 'ApplicationName', type: 'nullable' },
] as const satisfies readonly { readonly name: string; readonly type: LogFieldType }[];

export type LogFieldType = 'text' | 'nullable' | 'int32' | 'int64' | 'uint64';
export type LogFieldName = (typeof LOG_FIELDS)[number]['name'];

export const PRESENT = 0x50; // P
export const ABSENT = 0x4e; // N
