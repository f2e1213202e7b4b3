import { expect, test } from 'vitest';
import { clickhouseStatement } from '../../../src/emitters/clickhouse/clickhouse-statement.ts';
import { type Sql, sql, statement } from '../../../src/logstore/sql/sql.ts';

const written = (text: Sql) => clickhouseStatement(statement(text));

test('writes values as literals in which nothing ends the text', () => {
  const hostile = `' or 1=1 -- \\' \\`;
  expect(written(sql`select ${hostile}::text, ${hostile}`)).toEqual({
    kind: 'select',
    text: `select '\\' or 1=1 -- \\\\\\' \\\\', '\\' or 1=1 -- \\\\\\' \\\\'`,
  });
});

test('does not read a value as a placeholder or as a part of the statement', () => {
  const { text } = written(sql`select ${'$2 ::text left('}::text, ${'b'}::text`);
  expect(text).toBe(`select '$2 ::text left(', 'b'`);
});

test('gives values and casts types that may be null', () => {
  const { text } = written(
    sql`select ${null}::text, ${5}::bigint, ${0.1}::float8, ${1e300}::float8, stream::text, '::text', ${true}`,
  );
  expect(text).toBe(
    "select cast(null, 'Nullable(String)'), cast(5, 'Int64'), cast(0.1, 'Float64'), cast(1e+300, 'Float64'), stream::Nullable(String), '::text', true",
  );
});

test('writes identifiers as texts of 32 digits', () => {
  const { text } = written(sql`select ${'5B245EDE-CCDE-FD0D-AC57-1C1E402F8CE8'}::uuid`);
  expect(text).toBe("select '5b245edeccdefd0dac571c1e402f8ce8'");
});

test('finds a definition by its new values, because its condition is false after the change', () => {
  const change = clickhouseStatement({
    text: "update log_groups set definition = $1::text, created_at = least(7, 8), watermark = null where id = 'a' and created_at = 5 returning id",
    values: ['new'],
  });
  expect(change).toMatchObject({
    returned:
      "select distinct id from log_groups where (id = 'a' and created_at = 5) or (definition = 'new' and  created_at = least(7, 8) and watermark is null)",
  });
});

test('changes rows by mutations, only if there are such rows', () => {
  const update = sql`update leases set holder = ${'me'}::text where name = 'monitor' returning holder`;
  expect(written(update)).toEqual({
    kind: 'update',
    text: "alter table leases update holder = 'me' where name = 'monitor'",
    isThere: "select 1 as one from leases where name = 'monitor' limit 1",
    returned: "select distinct holder from leases where name = 'monitor'",
  });
  expect(written(sql`delete from metrics where id = ${'a'}::text`)).toEqual({
    kind: 'delete',
    text: "alter table metrics delete where id = 'a'",
    isThere: "select 1 as one from metrics where id = 'a' limit 1",
  });
});

test('does not lock a row', () => {
  const lock = sql`update leases set expires_at = expires_at where name = 'monitor'`;
  expect(written(lock)).toEqual({ kind: 'select', text: 'select 1 as one limit 0' });
});

test('inserts a row only if its key is missing', () => {
  const { text } = written(sql`insert into leases (name, holder) values ('monitor', ${''}::text)
    on conflict (name) do nothing`);
  expect(text).toBe(
    "insert into leases (name, holder) select new_name as name, new_holder as holder from (values ('monitor', '')) as new (new_name, new_holder) where new_name not in (select name from leases)",
  );
});
