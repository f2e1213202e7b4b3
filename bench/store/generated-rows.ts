import { LOG_COLUMNS } from '../../src/logstore/log-columns.ts';
import { type Sql, type SqlStatement, sql, statement } from '../../src/logstore/sql/sql.ts';
import type { SqlDialect } from '../../src/logstore/sql/sql-dialect.ts';

export interface GeneratedRows {
  readonly fromUnixMicro: number;
  readonly spanMicro: number;
  readonly rows: number;
  /** The number of the first row; the values of a row follow from its number. */
  readonly firstNumber: number;
}

/**
 * Inserts access log rows that the database generates, evenly distributed over a time span and in its order,
 * like those of a parsed access log: some 200 bytes of body, 20,000 addresses, 10,000 paths, one answer in
 * ten an error.
 */
export function insertGeneratedRows(dialect: SqlDialect, rows: GeneratedRows): SqlStatement {
  const text = `insert into log_records (${LOG_COLUMNS.join(', ')})\n`;
  const { parts, values } = selected(dialect, rows);
  return statement({ parts: [text + (parts[0] ?? ''), ...parts.slice(1)], values });
}

function selected(dialect: SqlDialect, rows: GeneratedRows): Sql {
  return dialect.name === 'clickhouse' ? selectedInClickHouse(rows) : selectedElsewhere(dialect, rows);
}

/** The same rows with the functions of ClickHouse. */
function selectedInClickHouse({ fromUnixMicro, spanMicro, rows, firstNumber }: GeneratedRows): Sql {
  const stepMicro = Math.floor(spanMicro / rows);
  return sql`
    select time, time, severity, null, host, 'shop', '/var/log/nginx/access.log', 'combined',
      concat(client, ' - - [', formatDateTime(time, '%Y-%m-%dT%H:%i:%S.%fZ'), '] "', method, ' ', path, '?', query, ' HTTP/1.1" ',
        toString(status), ' ', toString(size), ' "', referer, '" "', agent, '"'),
      concat('{"url.query":"', query, '","http.request.header.referer":"', referer, '","user_agent.original":"', agent, '"}'),
      stream, n * 200, client, null, method, path, '1.1', status, size
    from (
      select n, fromUnixTimestamp64Micro(toInt64(${fromUnixMicro} + (n - ${firstNumber}) * ${stepMicro}), 'UTC') as time,
        multiIf(r % 100 < 4, 17, r % 100 < 10, 13, 9) as severity,
        concat('web-', toString(n % 8)) as host,
        concat('0000000000004000800000000000000', toString(n % 8)) as stream,
        concat(toString(1 + r % 223), '.', toString(intDiv(r, 7) % 10), '.', toString(intDiv(r, 70) % 10), '.', toString(n % 8)) as client,
        if(r % 7 = 0, 'POST', 'GET') as method,
        concat('/', ['products', 'articles', 'users', 'orders', 'search', 'static', 'images', 'checkout'][1 + intDiv(r, 3) % 8],
          '/', ['blue', 'winter', 'account', 'large', 'latest'][1 + intDiv(r, 11) % 5], '-item/', toString(r % 250)) as path,
        concat('request=', toString(n)) as query,
        multiIf(r % 100 < 1, 503, r % 100 < 4, 500, r % 100 < 10, 404, r % 100 < 20, 304, 200) as status,
        200 + r % 60000 as size,
        if(r % 2 = 0, '-', concat('https://shop.example/articles/', toString(r % 1000))) as referer,
        ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
          'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', 'curl/8.5.0'][1 + intDiv(r, 5) % 3] as agent
      from (
        select number as n, intDiv((number * 2654435761) % 4294967296, 16) % 1000003 as r
        from numbers(${firstNumber}, ${rows})
      ) as random
    ) as made`;
}

function selectedElsewhere(
  dialect: SqlDialect,
  { fromUnixMicro, spanMicro, rows, firstNumber }: GeneratedRows,
): Sql {
  const stepMicro = Math.floor(spanMicro / rows);
  const time = dialect.timestamp(
    sql`${fromUnixMicro}::bigint + (n - ${firstNumber}::bigint) * ${stepMicro}::bigint`,
  );
  return sql`
    select time, time, severity, null, host, 'shop', '/var/log/nginx/access.log', 'combined',
      client || ' - - [' || ${dialect.timeText(sql`time`)} || '] "' || method || ' ' || path || '?' || query || ' HTTP/1.1" ' ||
        status || ' ' || size || ' "' || referer || '" "' || agent || '"',
      ${attributes(dialect)},
      stream, n * 200, client, null, method, path, '1.1', status, size
    from (
      select n, ${time} as time,
        case when r % 100 < 4 then 17 when r % 100 < 10 then 13 else 9 end as severity,
        'web-' || (n % 8) as host,
        (('00000000-0000-4000-8000-00000000000' || (n % 8))::uuid) as stream,
        (1 + r % 223) || '.' || (${quotient(sql`r`, 7)} % 10) || '.' || (${quotient(sql`r`, 70)} % 10) || '.' || (n % 8) as client,
        case when r % 7 = 0 then 'POST' else 'GET' end as method,
        '/' || (array['products', 'articles', 'users', 'orders', 'search', 'static', 'images', 'checkout'])[1 + (${quotient(sql`r`, 3)} % 8)::int]
          || '/' || (array['blue', 'winter', 'account', 'large', 'latest'])[1 + (${quotient(sql`r`, 11)} % 5)::int] || '-item/' || (r % 250) as path,
        'request=' || n as query,
        case when r % 100 < 1 then 503 when r % 100 < 4 then 500 when r % 100 < 10 then 404 when r % 100 < 20 then 304 else 200 end as status,
        200 + r % 60000 as size,
        case when r % 2 = 0 then '-' else 'https://shop.example/articles/' || (r % 1000) end as referer,
        (array['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
          'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', 'curl/8.5.0'])[1 + (${quotient(sql`r`, 5)} % 3)::int] as agent
      from (
        select n, ${quotient(sql`((n * 2654435761) % 4294967296)`, 16)} % 1000003 as r
        from generate_series(${firstNumber}::bigint, ${firstNumber + rows - 1}::bigint) as numbers(n)
      ) as random
    ) as made`;
}

/** Integer division; in some databases `/` of integers is not. */
function quotient(dividend: Sql, divisor: number): Sql {
  return sql`(((${dividend}) - (${dividend}) % ${divisor}::bigint) / ${divisor}::bigint)::bigint`;
}

function attributes({ name }: SqlDialect): Sql {
  return name === 'duckdb'
    ? sql`json_object('url.query', query, 'http.request.header.referer', referer, 'user_agent.original', agent)`
    : sql`jsonb_build_object('url.query', query, 'http.request.header.referer', referer, 'user_agent.original', agent)`;
}
